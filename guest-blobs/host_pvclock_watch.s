# Not a guest: a function of the host's, which reads a vCPU's pvclock page again and again while KVM writes it,
# as a guest's other vCPUs may (Linux's vDSO reads vCPU 0's), and keeps what it takes for whole by the version
# (kvmselftest.x86.PvclockWatch).
#
# A page that is written without a word of the version is half written for some nanoseconds. So that this is seen,
# a reading takes no longer than that.

        .intel_syntax noprefix
        .include "pvclock_page.inc"

        .set    WATCH_PAGE, 0                   # the page
        .set    WATCH_READ, 8                   # room for what is read, 32 bytes each, as the page has it
        .set    WATCH_MOST, 16                  # how many that holds
        .set    WATCH_COUNT, 24                 # result: how many were read that differ from the one before
        .set    WATCH_STOP, 32                  # not 0: end

        .text
# pvclock_watch(block). Changes what a function may change.
pvclock_watch:
        mov     rsi, [rdi + WATCH_PAGE]
        mov     r8, [rdi + WATCH_READ]
        xor     r9d, r9d                        # count
        mov     r10d, 1                         # the last one's version: odd, as none is
1:      cmp     qword ptr [rdi + WATCH_STOP], 0
        jne     4f
        mov     eax, [rsi + PVCLOCK_VERSION]
        mov     rcx, [rsi + PVCLOCK_TSC_TIMESTAMP]
        mov     rdx, [rsi + PVCLOCK_SYSTEM_TIME]
        mov     r11, [rsi + PVCLOCK_TSC_TO_SYSTEM_MUL]      # and shift and flags
        cmp     eax, [rsi + PVCLOCK_VERSION]
        jne     1b
        test    eax, 1
        jnz     1b
        cmp     eax, r10d
        jne     3f
        cmp     rcx, [r8 - PVCLOCK_SIZE + PVCLOCK_TSC_TIMESTAMP]
        jne     3f
        cmp     rdx, [r8 - PVCLOCK_SIZE + PVCLOCK_SYSTEM_TIME]
        jne     3f
        cmp     r11, [r8 - PVCLOCK_SIZE + PVCLOCK_TSC_TO_SYSTEM_MUL]
        je      1b
3:      cmp     r9, [rdi + WATCH_MOST]
        je      4f
        mov     [r8 + PVCLOCK_VERSION], rax
        mov     [r8 + PVCLOCK_TSC_TIMESTAMP], rcx
        mov     [r8 + PVCLOCK_SYSTEM_TIME], rdx
        mov     [r8 + PVCLOCK_TSC_TO_SYSTEM_MUL], r11
        add     r8, PVCLOCK_SIZE
        mov     r10d, eax
        inc     r9
        mov     [rdi + WATCH_COUNT], r9
        jmp     1b
4:      ret
