// SPDX-License-Identifier: Apache-2.0
/*
 * The C half of the benchmark: what kvmselftest.bench.Benchmark does, by plain system calls.
 *
 *   kvm_bench BLOBS < lines of (run|ucall|tsc|kvmclock) COUNT
 *
 * It sets up the same guest as kvmselftest.guest.Guest does, from the same guest blob: what the guest, KVM and
 * the CPU have to do is the same for both, and the difference is that of the two host programs. There is no
 * library in between, so that Java is held against the fastest C one can write. A failure ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Addresses of kvmselftest.guest.Guest and kvmselftest.x86.LongMode. */
#define MEMORY_SIZE 0x400000UL
#define PML4 0x1000UL
#define PDPT 0x2000UL
#define PAGE_DIRECTORY 0x3000UL
#define PAGE_TABLE 0x4000UL
#define GDT 0x5000UL
#define IDT 0x6000UL
#define TSS 0x7000UL
#define STACK_TOP 0x21000UL
#define BLOB 0x100000UL
#define PVCLOCK_PAGE 0x200000UL

#define UCALL_PORT 0x1000
#define UCALL_SYNC 1
#define MAX_CPUID_ENTRIES 256

struct guest {
  int kvm, vm, vcpu;
  uint8_t *memory;
  struct kvm_run *run;
  size_t run_size;
};

struct ucall {
  uint64_t command;
  uint64_t args[7];
};

static void die(const char *what) {
  fprintf(stderr, "kvm_bench: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
  exit(1);
}

static int checked(int result, const char *what) {
  if (result < 0) die(what);
  return result;
}

static void *map(size_t size, int flags, int fd) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) die("mmap");
  return memory;
}

static void put(const struct guest *guest, uint64_t address, uint64_t value) {
  memcpy(guest->memory + address, &value, sizeof(value));
}

static void write_tables(const struct guest *guest) {
  put(guest, PML4, PDPT | 3);
  put(guest, PDPT, PAGE_DIRECTORY | 3);
  put(guest, PAGE_DIRECTORY, PAGE_TABLE | 3);
  for (uint64_t page = 1; page < 512; page++) {
    put(guest, PAGE_TABLE + page * 8, page * 0x1000 | 3);
    put(guest, PAGE_DIRECTORY + page * 8, page * 0x200000 | 0x83);
  }
  put(guest, GDT + 0x08, 0x00af9b000000ffffUL);
  put(guest, GDT + 0x10, 0x00cf93000000ffffUL);
}

/* Returns the entry point, the second word of the header that guest-blobs/ucall.inc writes. */
static uint64_t load_blob(const struct guest *guest, const char *folder, const char *name) {
  char path[4096];
  uint64_t entry;
  snprintf(path, sizeof(path), "%s/%s.bin", folder, name);
  int fd = checked(open(path, O_RDONLY), path);
  if (read(fd, guest->memory + BLOB, 0x10000) < 32 || memcmp(guest->memory + BLOB, "KVMGUEST", 8)) die(path);
  close(fd);
  memcpy(&entry, guest->memory + BLOB + 8, sizeof(entry));
  return entry;
}

static void set_cpuid(const struct guest *guest) {
  struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID_ENTRIES * sizeof(cpuid->entries[0]));
  if (!cpuid) die("calloc");
  cpuid->nent = MAX_CPUID_ENTRIES;
  checked(ioctl(guest->kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
  checked(ioctl(guest->vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
  free(cpuid);
}

static void enter_long_mode(const struct guest *guest) {
  struct kvm_segment code = {.limit = -1, .selector = 0x08, .type = 0xb, .present = 1, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = {.limit = -1, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
  struct kvm_segment task = {.base = TSS, .limit = 0x67, .selector = 0x18, .type = 0xb, .present = 1};
  struct kvm_sregs sregs;
  checked(ioctl(guest->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs = code;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  sregs.tr = task;
  sregs.gdt.base = GDT;
  sregs.gdt.limit = 0x17;
  sregs.idt.base = IDT;
  sregs.idt.limit = 32 * 16 - 1;
  sregs.cr0 = 0x80010023;
  sregs.cr3 = PML4;
  sregs.cr4 = 0x620;
  sregs.efer = 0x500;
  checked(ioctl(guest->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

static struct guest open_guest(const char *blobs, const char *name) {
  struct guest guest;
  guest.kvm = checked(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
  guest.vm = checked(ioctl(guest.kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  guest.memory = map(MEMORY_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE, .userspace_addr = (uint64_t)guest.memory};
  checked(ioctl(guest.vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  write_tables(&guest);
  uint64_t entry = load_blob(&guest, blobs, name);

  guest.vcpu = checked(ioctl(guest.vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  guest.run_size = checked(ioctl(guest.kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  guest.run = map(guest.run_size, MAP_SHARED, guest.vcpu);
  set_cpuid(&guest);
  enter_long_mode(&guest);
  struct kvm_regs regs = {.rip = entry, .rsp = STACK_TOP, .rdi = 0, .rsi = PVCLOCK_PAGE, .rflags = 2};
  checked(ioctl(guest.vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
  return guest;
}

static void close_guest(struct guest *guest) {
  munmap(guest->run, guest->run_size);
  close(guest->vcpu);
  close(guest->vm);
  close(guest->kvm);
  munmap(guest->memory, MEMORY_SIZE);
}

/* Vcpu.run */
static void run(const struct guest *guest) {
  int result;
  do {
    result = ioctl(guest->vcpu, KVM_RUN, 0);
  } while (result < 0 && errno == EINTR);
  checked(result, "KVM_RUN");
}

static void require_ucall(const struct guest *guest) {
  errno = 0;
  if (guest->run->exit_reason != KVM_EXIT_IO || guest->run->io.direction != KVM_EXIT_IO_IN ||
      guest->run->io.port != UCALL_PORT)
    die("exit of KVM_RUN");
}

/* Ucall.sync, which is upstream's get_ucall: registers, the block in guest memory, and the I/O completed. */
static struct ucall sync_ucall(const struct guest *guest) {
  struct kvm_regs regs;
  struct ucall ucall;
  require_ucall(guest);
  checked(ioctl(guest->vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
  if (regs.rdi > MEMORY_SIZE - sizeof(ucall)) die("address of the ucall");
  memcpy(&ucall, guest->memory + regs.rdi, sizeof(ucall));
  guest->run->immediate_exit = 1;
  int result = ioctl(guest->vcpu, KVM_RUN, 0);
  guest->run->immediate_exit = 0;
  if (result != -1 || errno != EINTR) die("KVM_RUN with immediate_exit");
  if (ucall.command != UCALL_SYNC) die("ucall");
  return ucall;
}

static uint64_t rdtsc(void) {
  uint32_t low, high;
  __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
  return (uint64_t)high << 32 | low;
}

static uint64_t kvmclock(const struct guest *guest) {
  struct kvm_clock_data data;
  checked(ioctl(guest->vm, KVM_GET_CLOCK, &data), "KVM_GET_CLOCK");
  return data.clock;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void print_widths(const char *what, uint64_t *widths, long count) {
  uint64_t first = widths[0];
  qsort(widths, count, sizeof(*widths), compare);
  uint64_t median = count % 2 ? widths[count / 2] : (widths[count / 2 - 1] + widths[count / 2]) / 2;
  printf("C %s %ld %lu %lu %lu\n", what, count, first, median, widths[0]);
}

static void round_trip(const struct guest *guest, int decode) {
  run(guest);
  if (decode)
    sync_ucall(guest);
  else
    require_ucall(guest);
}

/* A vCPU's first KVM_RUN takes a hundred times as long as others: it is in the brackets, not in here. */
static void round_trips(const char *what, const char *blobs, long count, int decode) {
  struct guest guest = open_guest(blobs, "system_counter_offset_test");
  round_trip(&guest, decode);
  double begin = seconds();
  for (long i = 0; i < count; i++) round_trip(&guest, decode);
  printf("C %s %ld %.0f\n", what, count, count / (seconds() - begin));
  close_guest(&guest);
}

static void tsc_brackets(const char *blobs, long count, uint64_t *widths) {
  struct guest guest = open_guest(blobs, "system_counter_offset_test");
  uint64_t offset = 0;
  struct kvm_device_attr attr = {
      .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)&offset};
  checked(ioctl(guest.vcpu, KVM_SET_DEVICE_ATTR, &attr), "KVM_SET_DEVICE_ATTR");
  for (long i = 0; i < count; i++) {
    uint64_t start = rdtsc();
    run(&guest);
    uint64_t end = rdtsc();
    uint64_t seen = sync_ucall(&guest).args[1];
    if (seen < start || seen > end) die("guest's TSC");
    widths[i] = end - start;
  }
  close_guest(&guest);
}

static void kvmclock_brackets(const char *blobs, long count, uint64_t *widths) {
  struct guest guest = open_guest(blobs, "kvm_clock_test");
  struct kvm_clock_data zero = {0};
  checked(ioctl(guest.vm, KVM_SET_CLOCK, &zero), "KVM_SET_CLOCK");
  for (long i = 0; i < count; i++) {
    uint64_t start = kvmclock(&guest);
    run(&guest);
    uint64_t end = kvmclock(&guest);
    uint64_t seen = sync_ucall(&guest).args[1];
    if (seen < start || seen > end) die("guest's kvmclock");
    widths[i] = end - start;
  }
  close_guest(&guest);
}

static void measure(const char *what, const char *blobs, long count) {
  uint64_t *widths = calloc(count, sizeof(*widths));
  if (!widths) die("calloc");
  if (!strcmp(what, "run")) {
    round_trips(what, blobs, count, 0);
  } else if (!strcmp(what, "ucall")) {
    round_trips(what, blobs, count, 1);
  } else if (!strcmp(what, "tsc")) {
    tsc_brackets(blobs, count, widths);
    print_widths(what, widths, count);
  } else if (!strcmp(what, "kvmclock")) {
    kvmclock_brackets(blobs, count, widths);
    print_widths(what, widths, count);
  } else {
    die(what);
  }
  free(widths);
}

int main(int argc, char **argv) {
  char line[64], what[16];
  long count;
  if (argc != 2) {
    fprintf(stderr, "usage: kvm_bench BLOBS\n");
    return 64;
  }
  while (fgets(line, sizeof(line), stdin)) {
    if (sscanf(line, "%15s %ld", what, &count) != 2 || count < 1) die(line);
    measure(what, argv[1], count);
    fflush(stdout);
  }
  return 0;
}
