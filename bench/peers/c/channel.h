/*
 * One side of a trial as a C program: talks to ../../trial.mjs over Node's IPC channel (one line of JSON a message, on
 * the descriptor that NODE_CHANNEL_FD names), and measures itself. Knows no library. side.mjs is the same for Node.
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

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void check(int ok, const char *what) {
  if (!ok) die(what);
}

static double seconds_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Processor seconds of all threads of this process. */
static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Takes the time and the processor time from start on. */
static double meter_time, meter_cpu;

static void meter_start(void) {
  meter_time = seconds_now();
  meter_cpu = cpu_seconds();
}

static void tell(const char *format, ...) {
  char line[1024];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  check(write(channel_fd, line, (size_t)length) == length, "write to the channel");
}

/* The last words: figures, then the end. `more` is further JSON, such as ",\"messages\":5". */
static void done(const char *more) {
  double time = seconds_now() - meter_time, cpu = cpu_seconds() - meter_cpu;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  tell("{\"event\":\"done\",\"seconds\":%.9f,\"cpuSeconds\":%.6f,\"peakRss\":%ld%s}\n", time, cpu,
       used.ru_maxrss * 1024L, more);
  _exit(0);
}

/* Waits for a word of the parent; a parent that is gone wants no figures. */
static void wait_for(const char *word) {
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
static void *finish_thread(void *unused) {
  wait_for("finish");
  done("");
  return unused;
}

static void finish_when_told(void) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, finish_thread, NULL) == 0, "pthread_create");
}

static void channel_open(void) {
  const char *number = getenv("NODE_CHANNEL_FD");
  if (number == NULL) {
    fputs("to be started by the benchmark\n", stderr);
    exit(2);
  }
  channel_fd = atoi(number);
}

#endif
