/*
 * One side of a trial as a C program: talks to ../../trial.mjs over Node's IPC channel (one line of JSON a message, on
 * the descriptor that NODE_CHANNEL_FD names), and measures itself. Knows no library. side.mjs is the same for Node.
 *
 *   PROGRAM ROLE ENDPOINT SIZE PARTS WARMUP COUNT SUBSCRIBERS TOPICS CLIENTS SPIN
 *
 * SPIN: how many microseconds to look before going to sleep. Each program says which of these it uses.
 */
#ifndef ZWIRE_BENCH_CHANNEL_H
#define ZWIRE_BENCH_CHANNEL_H

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int channel_fd = -1;

/* What this side shall do, in the order of the words on the command line; trial.mjs writes them. */
static struct {
  const char *role, *endpoint;
  size_t size;
  int parts;
  size_t whole; /* a message: all of its parts together */
  long warmup, count, total;
  int subscribers, topics;
  long clients;
  double spin_seconds;
} job;

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline void check(int ok, const char *what) {
  if (!ok) die(what);
}

static inline double seconds_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Processor seconds of all threads of this process. */
static inline double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Takes the time and the processor time from start on. */
static double meter_time, meter_cpu;

static inline void meter_start(void) {
  meter_time = seconds_now();
  meter_cpu = cpu_seconds();
}

static inline void tell(const char *format, ...) {
  char line[1024];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  check(write(channel_fd, line, (size_t)length) == length, "write to the channel");
}

/* The last words: figures, then the end. `more` is further JSON, such as ",\"messages\":5". */
static inline void done(const char *more) {
  double time = seconds_now() - meter_time, cpu = cpu_seconds() - meter_cpu;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  tell("{\"event\":\"done\",\"seconds\":%.9f,\"cpuSeconds\":%.6f,\"peakRss\":%ld%s}\n", time, cpu,
       used.ru_maxrss * 1024L, more);
  _exit(0);
}

static inline void done_with_count(long messages) {
  char more[64];
  snprintf(more, sizeof more, ",\"messages\":%ld", messages);
  done(more);
}

static inline int by_value(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return (one > other) - (one < other);
}

/* Round-trip times in microseconds, one of each message that counts. */
static inline void done_with_latencies(double *samples) {
  char more[256];
  qsort(samples, (size_t)job.count, sizeof *samples, by_value);
  snprintf(more, sizeof more, ",\"messages\":%ld,\"latency\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}", job.count,
           samples[job.count / 2], samples[(long)(job.count * 0.99)], samples[(long)(job.count * 0.999)]);
  done(more);
}

/* Asks and takes the answer, all of a trial, then reports how long each round trip took. */
static inline void ask_all(void (*ask)(long number)) {
  double *samples = malloc((size_t)job.count * sizeof *samples);
  check(samples != NULL, "malloc");
  for (long i = 0; i < job.total; i++) {
    if (i == job.warmup) meter_start();
    double before = seconds_now();
    ask(i);
    if (i >= job.warmup) samples[i - job.warmup] = (seconds_now() - before) * 1e6;
  }
  done_with_latencies(samples);
}

/* Waits for a word of the parent; a parent that is gone wants no figures. */
static inline void wait_for(const char *word) {
  char quoted[32], line[256];
  snprintf(quoted, sizeof quoted, "\"%s\"", word);
  size_t have = 0;
  for (;;) {
    char octet;
    if (read(channel_fd, &octet, 1) != 1) _exit(1);
    if (octet != '\n') {
      if (have + 1 < sizeof line) line[have++] = octet;
      continue;
    }
    line[have] = 0;
    have = 0;
    if (strcmp(line, quoted) == 0) return;
  }
}

/* `done` as soon as the parent says "finish", from a thread of its own: for a side that serves until then. */
static inline void *finish_thread(void *unused) {
  wait_for("finish");
  done("");
  return unused;
}

static inline void finish_when_told(void) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, finish_thread, NULL) == 0, "pthread_create");
}

static inline void channel_open(void) {
  const char *number = getenv("NODE_CHANNEL_FD");
  if (number == NULL) {
    fputs("to be started by the benchmark\n", stderr);
    exit(2);
  }
  channel_fd = atoi(number);
}

struct role {
  const char *name;
  void (*play)(void);
};

/* Reads the job, and plays the role that it names. Returns the status to exit with where there is none. */
static inline int play(int argc, char **argv, const struct role *roles, size_t number) {
  if (argc != 11) return 2;
  job.role = argv[1];
  job.endpoint = argv[2];
  job.size = (size_t)atol(argv[3]);
  job.parts = atoi(argv[4]);
  job.whole = job.size * (size_t)job.parts;
  job.warmup = atol(argv[5]);
  job.count = atol(argv[6]);
  job.total = job.warmup + job.count;
  job.subscribers = atoi(argv[7]);
  job.topics = atoi(argv[8]);
  job.clients = atol(argv[9]);
  job.spin_seconds = atof(argv[10]) / 1e6;
  channel_open();
  for (size_t i = 0; i < number; i++) {
    if (strcmp(roles[i].name, job.role) == 0) roles[i].play();
  }
  return 2;
}

#define PLAY(argc, argv, roles) play(argc, argv, roles, sizeof(roles) / sizeof *(roles))

#endif
