# Not a guest: a function that the host calls for ioctls in a row, with the host's TSC read before each and
# after the last. What lies between two readings is then the kernel's time and no caller's.
#
# host_ioctls(steps, count): stops after a step that fails; returns the last reading. Each step is six words:
# the TSC before (written), file descriptor, request, argument, the result or -errno (written), and for a step that
# is no ioctl the address of a function int f(request, argument), otherwise 0.

        .intel_syntax noprefix
        .include "tsc.inc"

        .set    STEP_TSC, 0
        .set    STEP_FD, 8
        .set    STEP_REQUEST, 16
        .set    STEP_ARGUMENT, 24
        .set    STEP_RESULT, 32
        .set    STEP_FUNCTION, 40
        .set    STEP_SIZE, 48
        .set    SYS_IOCTL, 16                   # asm/unistd_64.h

        .text
        push    rbx
        push    rbp
        mov     rbx, rdi
        mov     rbp, rsi
        sub     rsp, 8                          # a function expects it aligned to 16
1:      READ_TSC [rbx + STEP_TSC]
        mov     rax, [rbx + STEP_FUNCTION]
        test    rax, rax
        jnz     3f
        mov     rdi, [rbx + STEP_FD]
        mov     rsi, [rbx + STEP_REQUEST]
        mov     rdx, [rbx + STEP_ARGUMENT]
        mov     eax, SYS_IOCTL
        syscall                                 # changes RAX, RCX, R11
4:      mov     [rbx + STEP_RESULT], rax
        test    rax, rax
        js      2f
        add     rbx, STEP_SIZE
        dec     rbp
        jnz     1b
2:      READ_TSC rax
        add     rsp, 8
        pop     rbp
        pop     rbx
        ret
3:      mov     rdi, [rbx + STEP_REQUEST]
        mov     rsi, [rbx + STEP_ARGUMENT]
        call    rax
        cdqe                                    # it returns an int
        jmp     4b
