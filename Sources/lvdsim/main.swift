import Commands

LVDSim.enter()
