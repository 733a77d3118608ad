@_exported import struct HostileGuest.SplitMix
