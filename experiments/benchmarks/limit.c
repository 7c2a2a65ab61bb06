/* What this machine can do: the same work as the contestants', written for the processor.

   usage: limit rollouts GENOMES STATES N THREADS     CartPole-v1, 4-16-2 networks, float32 network, float64 physics
          limit generation ROWS GENES THREADS         tournament of 3, uniform crossover, sparse gaussian mutation

   GENOMES holds N x 114 doubles in evonet's order, STATES N x 4. Like every contestant it answers each line on its
   input by one measured line of JSON. Build: cc -O3 -march=native -fopenmp limit.c -o limit -lm */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef VECTOR_BYTES
#define VECTOR_BYTES 32 /* AVX2; 64 for AVX-512 */
#endif
#define MEASURE_SECONDS 0.3

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) exit(1);
    return memory;
}

/* ------------------------------------------------------------------------------------------------ rollouts */

enum { INPUTS = 4, HIDDEN = 16, OUTPUTS = 2, GENES = 114, CAP = 500, LANES = VECTOR_BYTES / 4, HALF = LANES / 2 };
enum { HIDDEN_BIAS = 64, OUT_WEIGHTS = 80, OUT_BIAS = 112 };

typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));
typedef double Doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t Longs __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(VECTOR_BYTES)));
typedef float HalfFloats __attribute__((vector_size(VECTOR_BYTES / 2)));

#define CHOOSE(T, M, mask, yes, no) ((T)(((M)(yes) & (mask)) | ((M)(no) & ~(mask))))
#define INLINE static inline __attribute__((always_inline))

INLINE Floats floats(float x) { return x - (Floats){0}; }
INLINE Doubles doubles(double x) { return x - (Doubles){0}; }

/* Lambert's continued fraction after eleven terms: within 2e-6 of tanh, beyond the bound too. */
INLINE Floats tanh_of(Floats x) {
    const Floats bound = floats(6.8f);
    x = CHOOSE(Floats, Ints, x > bound, bound, x);
    x = CHOOSE(Floats, Ints, x < -bound, -bound, x);
    Floats s = x * x;
    Floats over = ((((s + 2145.0f) * s + 675675.0f) * s + 64324260.0f) * s + 1964187225.0f) * s + 13749310575.0f;
    Floats under = ((((66.0f * s + 45045.0f) * s + 7567560.0f) * s + 413513100.0f) * s + 6547290750.0f) * s;
    under += 13749310575.0f;
    return x * over / under;
}

/* Taylor series: poles that still stand lean by less than 0.25 rad, where these are exact to the last bit or two. */
INLINE Doubles sine(Doubles x) {
    Doubles s = x * x;
    Doubles p = s * (1.0 / 6227020800) - 1.0 / 39916800;
    p = p * s + 1.0 / 362880;
    p = p * s - 1.0 / 5040;
    p = p * s + 1.0 / 120;
    p = p * s - 1.0 / 6;
    return x + x * s * p;
}

INLINE Doubles cosine(Doubles x) {
    Doubles s = x * x;
    Doubles p = s * (1.0 / 479001600) - 1.0 / 3628800;
    p = p * s + 1.0 / 40320;
    p = p * s - 1.0 / 720;
    p = p * s + 1.0 / 24;
    p = p * s - 0.5;
    return 1.0 + s * p;
}

INLINE Floats observed(const Doubles *pair) {
    union {
        HalfFloats half[2];
        Floats whole;
    } both;
    both.half[0] = __builtin_convertvector(pair[0], HalfFloats);
    both.half[1] = __builtin_convertvector(pair[1], HalfFloats);
    return both.whole;
}

/* LANES networks, one in each lane, until the last has fallen; returns the steps of all. */
static long balance(const double *genomes, const double *states) {
    Floats weights[HIDDEN][INPUTS], bias[HIDDEN], preference[HIDDEN], tilt;
    Doubles x[2], v[2], angle[2], spin[2];
    Longs alive[2], steps[2] = {{0}, {0}};
    for (int lane = 0; lane < LANES; lane++) {
        const double *g = genomes + lane * GENES, *s = states + lane * INPUTS;
        for (int h = 0; h < HIDDEN; h++) {
            for (int i = 0; i < INPUTS; i++) weights[h][i][lane] = (float)g[i * HIDDEN + h];
            bias[h][lane] = (float)g[HIDDEN_BIAS + h];
            preference[h][lane] = (float)(g[OUT_WEIGHTS + OUTPUTS * h + 1] - g[OUT_WEIGHTS + OUTPUTS * h]);
        }
        tilt[lane] = (float)(g[OUT_BIAS + 1] - g[OUT_BIAS]);
        int k = lane / HALF, l = lane % HALF;
        x[k][l] = s[0], v[k][l] = s[1], angle[k][l] = s[2], spin[k][l] = s[3];
        alive[k][l] = -1;
    }
    for (int t = 0; t < CAP; t++) {
        Floats in[INPUTS] = {observed(x), observed(v), observed(angle), observed(spin)};
        union {
            Floats whole;
            HalfFloats half[2];
        } right = {tilt};
        for (int h = 0; h < HIDDEN; h++) {
            Floats sum = bias[h];
            for (int i = 0; i < INPUTS; i++) sum += in[i] * weights[h][i];
            right.whole += tanh_of(sum) * preference[h];
        }
        Longs any = {0};
        for (int k = 0; k < 2; k++) {
            Longs push = __builtin_convertvector(right.half[k], Doubles) > 0.0;
            Doubles force = CHOOSE(Doubles, Longs, push, doubles(10.0), doubles(-10.0));
            Doubles c = cosine(angle[k]), s = sine(angle[k]);
            Doubles common = (force + 0.05 * (spin[k] * spin[k]) * s) / 1.1;
            Doubles angular = (9.8 * s - c * common) / (0.5 * (4.0 / 3.0 - 0.1 * (c * c) / 1.1));
            Doubles linear = common - 0.05 * angular * c / 1.1;
            x[k] = CHOOSE(Doubles, Longs, alive[k], x[k] + 0.02 * v[k], x[k]);
            v[k] = CHOOSE(Doubles, Longs, alive[k], v[k] + 0.02 * linear, v[k]);
            angle[k] = CHOOSE(Doubles, Longs, alive[k], angle[k] + 0.02 * spin[k], angle[k]);
            spin[k] = CHOOSE(Doubles, Longs, alive[k], spin[k] + 0.02 * angular, spin[k]);
            steps[k] -= alive[k];
            const double lean = 0.20943951023931953; /* 12 degrees */
            alive[k] &= (x[k] >= -2.4) & (x[k] <= 2.4) & (angle[k] >= -lean) & (angle[k] <= lean);
            any |= alive[k];
        }
        int64_t standing = 0;
        for (int l = 0; l < HALF; l++) standing |= any[l];
        if (!standing) break;
    }
    long total = 0;
    for (int lane = 0; lane < LANES; lane++) total += steps[lane / HALF][lane % HALF];
    return total;
}

static double *doubles_from(const char *path, size_t count) {
    double *numbers = room(count * sizeof *numbers);
    FILE *file = fopen(path, "rb");
    if (!file || fread(numbers, sizeof *numbers, count, file) != count) exit(1);
    fclose(file);
    return numbers;
}

static void rollouts(char **arguments) {
    int n = atoi(arguments[2]), threads = atoi(arguments[3]), line;
    double *genomes = doubles_from(arguments[0], (size_t)n * GENES);
    double *states = doubles_from(arguments[1], (size_t)n * INPUTS);
    printf("{\"ready\": true}\n");
    fflush(stdout);
    while ((line = getchar()) != EOF) {
        long steps = 0;
        double start = 0.0, spent = 0.0;
        do {
            long batch = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) reduction(+ : batch)
            for (int i = 0; i <= n - LANES; i += LANES) batch += balance(genomes + i * GENES, states + i * INPUTS);
            if (start == 0.0) { /* the first, after a sleep, does not count */
                start = seconds();
                continue;
            }
            steps += batch;
            spent = seconds() - start;
        } while (spent < MEASURE_SECONDS);
        printf("{\"done\": %ld, \"seconds\": %.9f}\n", steps, spent);
        fflush(stdout);
    }
}

/* ---------------------------------------------------------------------------------------------- generation */

typedef struct {
    uint64_t a, b, c, counter;
} Random; /* Chris Doty-Humphrey's small fast counting generator */

INLINE uint64_t bits(Random *r) {
    uint64_t result = r->a + r->b + r->counter++;
    r->a = r->b ^ (r->b >> 11);
    r->b = r->c + (r->c << 3);
    r->c = ((r->c << 24) | (r->c >> 40)) + result;
    return result;
}

static Random seeded(uint64_t seed) {
    Random r = {seed, seed, seed, 1};
    for (int i = 0; i < 12; i++) bits(&r);
    return r;
}

INLINE double unit(Random *r) { return ((double)(bits(r) >> 11) + 0.5) * 0x1p-53; }

/* Marsaglia and Tsang's ziggurat of 128 slices, in float64. */
enum { SLICES = 128 };
static double edge[SLICES + 1], height[SLICES + 1];

static void build_ziggurat(void) {
    const double start = 3.442619855899, area = 9.91256303526217e-3;
    double x = start;
    edge[0] = area * exp(0.5 * start * start);
    edge[1] = start;
    for (int i = 2; i < SLICES; i++) {
        x = sqrt(-2.0 * log(area / x + exp(-0.5 * x * x)));
        edge[i] = x;
    }
    edge[SLICES] = 0.0;
    for (int i = 0; i <= SLICES; i++) height[i] = exp(-0.5 * edge[i] * edge[i]);
}

INLINE double normal(Random *r) {
    for (;;) {
        uint64_t word = bits(r);
        int slice = (int)(word & (SLICES - 1));
        double sign = word & SLICES ? -1.0 : 1.0;
        double x = (double)(word >> 11) * 0x1p-53 * edge[slice];
        if (x < edge[slice + 1]) return sign * x;
        if (slice == 0) { /* the tail */
            double beyond, up;
            do beyond = -log(unit(r)) / edge[1], up = -log(unit(r));
            while (up + up < beyond * beyond);
            return sign * (edge[1] + beyond);
        }
        if (height[slice] + unit(r) * (height[slice + 1] - height[slice]) < exp(-0.5 * x * x)) return sign * x;
    }
}

INLINE long winner(Random *r, const double *fitness, int rows) {
    long best = (long)(bits(r) % (uint64_t)rows);
    for (int i = 0; i < 2; i++) {
        long other = (long)(bits(r) % (uint64_t)rows);
        if (fitness[other] > fitness[best]) best = other;
    }
    return best;
}

static void breed(Random *r, const double *restrict first, const double *restrict second, double *restrict child,
                  long genes) {
    for (long start = 0; start < genes; start += 64) {
        uint64_t coins = bits(r);
        int count = genes - start < 64 ? (int)(genes - start) : 64;
        for (int i = 0; i < count; i++) child[start + i] = coins >> i & 1 ? second[start + i] : first[start + i];
    }
    const float scale = (float)(1.0 / log1p(-0.1));
    for (long gene = -1;;) { /* the gaps between mutated genes are geometric */
        gene += 1 + (long)(logf((float)unit(r)) * scale);
        if (gene >= genes) break;
        child[gene] += 0.1 * normal(r);
    }
}

static void generation(char **arguments) {
    int rows = atoi(arguments[0]), threads = atoi(arguments[2]), line;
    long genes = atol(arguments[1]);
    size_t size = (size_t)rows * (size_t)genes;
    double *parents = room(size * sizeof *parents), *children = room(size * sizeof *children);
    double *fitness = room((size_t)rows * sizeof *fitness);
    Random r = seeded(1);
    build_ziggurat();
    for (size_t i = 0; i < size; i++) parents[i] = normal(&r);
    memset(children, 0, size * sizeof *children);
    for (int i = 0; i < rows; i++) fitness[i] = unit(&r);
    printf("{\"ready\": true}\n");
    fflush(stdout);
    uint64_t number = 0;
    while ((line = getchar()) != EOF) {
        double start = 0.0, spent = 0.0;
        int count = 0;
        do {
            number++;
#pragma omp parallel for schedule(static) num_threads(threads)
            for (int i = 0; i < rows; i++) {
                Random own = seeded(number << 32 | (uint64_t)i);
                const double *first = parents + winner(&own, fitness, rows) * genes;
                const double *second = parents + winner(&own, fitness, rows) * genes;
                breed(&own, first, second, children + i * genes, genes);
            }
            double *swap = parents;
            parents = children;
            children = swap;
            if (start == 0.0) {
                start = seconds();
                continue;
            }
            count++;
            spent = seconds() - start;
        } while (spent < MEASURE_SECONDS);
        printf("{\"done\": %d, \"seconds\": %.9f}\n", count, spent);
        fflush(stdout);
    }
}

int main(int count, char **arguments) {
    if (count == 6 && !strcmp(arguments[1], "rollouts")) rollouts(arguments + 2);
    else if (count == 5 && !strcmp(arguments[1], "generation")) generation(arguments + 2);
    else return 2;
    return 0;
}
