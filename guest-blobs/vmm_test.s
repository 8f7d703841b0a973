# Guest of the VMM's own tests: the argument says what it does. The numbers are those of VmmTest.Program.

        .include "ucall.inc"

        .set    UNMAPPED_GPA, 0x20000000        # mapped by the page tables, in no memslot
        .set    UNEXPECTED_PORT, 0x80

guest_main:
        lea     rax, [rip + programs]
        jmp     [rax + rsi * 8]

        .balign 8, 0xcc
programs:
        .quad   sync_and_done
        .quad   abort
        .quad   invalid_opcode
        .quad   page_fault
        .quad   general_protection
        .quad   bad_stack
        .quad   spin
        .quad   halt
        .quad   unexpected_port
        .quad   unmapped_memory
        .quad   triple_fault
        .quad   count
        .quad   bad_ucall
        .quad   unknown_ucall

sync_and_done:                                  # every argument arrives
        mov     edi, 7
        mov     rsi, 0x1111111111111111
        mov     rdx, 0x2222222222222222
        mov     rcx, 0x3333333333333333
        mov     r8, 0x4444444444444444
        mov     r9, 0x5555555555555555
        call    ucall_sync
        jmp     ucall_done

abort:
        mov     ebx, 3
        mov     ebp, 4
        ASSERT_EQ rbx, rbp, "three is four"
        jmp     ucall_done

invalid_opcode:
        ud2

page_fault:                                     # the first page is not mapped
        mov     eax, 0x123
        mov     byte ptr [rax], 1

general_protection:                             # not a canonical address
        mov     rax, 0x8000000000000000
        mov     rax, [rax]

bad_stack:                                      # still reported: exceptions have a stack of their own
        xor     esp, esp
        push    rax

spin:
        sti                                     # for Bochs: clock_guest.s, stream
1:      jmp     1b

unexpected_port:
        out     UNEXPECTED_PORT, al
        jmp     ucall_done

unmapped_memory:
        mov     eax, UNMAPPED_GPA
        mov     rax, [rax]
        jmp     ucall_done

triple_fault:                                   # an IDT without entries
        push    0
        push    0
        lidt    [rsp]
        ud2

count:                                          # vCPU index and a number that grows
        mov     rbp, rdi
        xor     ebx, ebx
1:      mov     rdi, rbx
        mov     rsi, rbp
        call    ucall_sync
        inc     rbx
        jmp     1b

bad_ucall:                                      # a block that is in no memory
        mov     edi, UNMAPPED_GPA
        mov     edx, UCALL_PORT
        in      al, dx

unknown_ucall:                                  # a command that does not exist
        sub     rsp, UCALL_BLOCK
        mov     qword ptr [rsp], 77
        jmp     ucall
