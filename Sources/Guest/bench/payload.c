/*
 * Integer work of five kinds, to compare the speed of machines that run the same image: a sieve (stores and strides), SHA-256
 * (arithmetic), a walk along a shuffled list (loads that depend on loads), quicksort (unpredictable branches), Fibonacci numbers by
 * recursion (calls). Each prints a checksum, which has to be the one that is written down here.
 *
 * Command line: rounds=N, 10 when absent; about 35 million instructions each round.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

static inline void out8(unsigned short port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 in8(unsigned short port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c) {
    while (!(in8(0x3FD) & 0x20))
        ;
    out8(0x3F8, (u8)c);
}
static void print(const char *text) {
    for (; *text; text++)
        put(*text);
}
static void print_hex(u64 value) {
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static u64 state;
static u32 random32(void) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(state >> 33);
}

enum { SIEVE = 1 << 20 };
static u8 composite[SIEVE];
static u64 sieve(void) {
    u64 count = 0, sum = 0;
    for (u32 i = 0; i < SIEVE; i++)
        composite[i] = 0;
    for (u32 i = 2; i < SIEVE; i++) {
        if (composite[i])
            continue;
        count++;
        sum += i;
        for (u32 j = i * 2; j < SIEVE; j += i)
            composite[j] = 1;
    }
    return sum << 20 ^ count;
}

static const u32 k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static inline u32 ror(u32 x, int n) { return x >> n | x << (32 - n); }

static u64 sha256(void) {
    u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (u32 block = 0; block < 2500; block++) {
        u32 w[64], s[8];
        for (u32 i = 0; i < 16; i++)
            w[i] = block * 16 + i;
        for (u32 i = 16; i < 64; i++)
            w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
                   (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
        for (u32 i = 0; i < 8; i++)
            s[i] = h[i];
        for (u32 i = 0; i < 64; i++) {
            u32 t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
            u32 t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            for (int j = 7; j > 0; j--)
                s[j] = s[j - 1];
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (u32 i = 0; i < 8; i++)
            h[i] += s[i];
    }
    return (u64)h[0] << 32 | h[7];
}

enum { NODES = 1 << 14 };
static struct node { struct node *next; u64 value; } nodes[NODES];
static u64 list(void) {
    static u32 order[NODES];
    u64 sum = 0;
    for (u32 i = 0; i < NODES; i++)
        order[i] = i;
    for (u32 i = NODES - 1; i > 0; i--) {
        u32 j = random32() % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (u32 i = 0; i < NODES; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
        nodes[order[i]].value = i;
    }
    struct node *at = &nodes[order[0]];
    for (u32 i = 0; i < NODES * 100; i++, at = at->next)
        sum = sum * 31 + at->value;
    return sum;
}

enum { NUMBERS = 1 << 16 };
static u32 numbers[NUMBERS];
static void quicksort(u32 *low, u32 *high) {
    while (low < high) {
        u32 pivot = low[(high - low) / 2], *i = low, *j = high;
        for (;;) {
            while (*i < pivot)
                i++;
            while (*j > pivot)
                j--;
            if (i >= j)
                break;
            u32 t = *i;
            *i++ = *j;
            *j-- = t;
        }
        quicksort(low, j);
        low = j + 1;
    }
}
static u64 sort(void) {
    u64 sum = 0;
    for (u32 i = 0; i < NUMBERS; i++)
        numbers[i] = random32();
    quicksort(numbers, numbers + NUMBERS - 1);
    for (u32 i = 0; i < NUMBERS; i++)
        sum = sum * 31 + numbers[i];
    return sum;
}

__attribute__((noinline)) static u64 fibonacci_number(u32 n) {
    return n < 2 ? n : fibonacci_number(n - 1) + fibonacci_number(n - 2);
}
static u64 fibonacci(void) { return fibonacci_number(27); }

static const struct { const char *name; u64 (*run)(void); u64 expected; } work[] = {
    {"sieve", sieve, 0x00995762efe14069}, {"sha256", sha256, 0x88be7f85c1d8c810}, {"list", list, 0x689e0ee0670c8000},
    {"sort", sort, 0x6e130b81bdda320e}, {"fibonacci", fibonacci, 0x2ff42},
};

static u32 rounds_of(const char *words) {
    static const char key[] = "rounds=";
    for (; words && *words; words++) {
        u32 n = 0, i = 0;
        while (key[i] && words[i] == key[i])
            i++;
        if (key[i])
            continue;
        for (words += i; *words >= '0' && *words <= '9'; words++)
            n = n * 10 + (u32)(*words - '0');
        return n;
    }
    return 10;
}

/* 0: every checksum was right in every round. */
u32 payload_main(const u32 *information) {
    u32 rounds = rounds_of(information[0] & 4 ? (const char *)(u64)information[4] : 0), wrong = 0;
    for (u32 i = 0; i < sizeof(work) / sizeof(work[0]); i++) {
        u64 sum = 0;
        for (u32 round = 0; round < rounds; round++) {
            state = 1;
            sum = work[i].run();
            if (sum != work[i].expected)
                wrong = 1;
        }
        print(work[i].name);
        print(" ");
        print_hex(sum);
        print(rounds && sum != work[i].expected ? " wrong\n" : "\n");
    }
    return wrong;
}
