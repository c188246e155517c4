; A boot sector that calls one function in 64-bit mode with all vector registers switched on.
;
; The payload behind this sector is loaded to PAYLOAD. It begins with four 64-bit words: address of
; the function, its one argument, address of the result and bytes of the result. The result is
; written to port 0xE9 in hexadecimal digits, which Bochs prints; then the machine is switched off.

PAYLOAD equ 0x10000
PAGE_TABLES equ 0x1000
STACK equ 0x7000
CODE_SEGMENT equ 8
DATA_SEGMENT equ 16

bits 16
org 0x7c00

    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, STACK
    mov bx, [sectors]
load_sector:
    mov ah, 0x42                ; BIOS: extended read
    mov dl, 0x80                ; from the first disk
    mov si, packet
    int 0x13
    jc stop
    inc dword [packet.sector]
    add word [packet.segment], 512 >> 4
    dec bx
    jnz load_sector

    ; One entry on the upper two levels, then 2 MiB pages: addresses are what they say.
    mov edi, PAGE_TABLES
    mov cr3, edi
    xor eax, eax
    mov ecx, 3 * 1024
    rep stosd
    mov dword [PAGE_TABLES], PAGE_TABLES + 0x1000 + 3
    mov dword [PAGE_TABLES + 0x1000], PAGE_TABLES + 0x2000 + 3
    mov edi, PAGE_TABLES + 0x2000
    mov eax, 0x83
    mov cx, 512
map_page:
    mov [di], eax
    add eax, 0x200000
    add di, 8
    loop map_page

    mov eax, cr4
    or eax, (1 << 5) | (1 << 9) | (1 << 10) | (1 << 18)  ; PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
    mov cr4, eax
    mov ecx, 0xc0000080         ; EFER
    rdmsr
    or eax, 1 << 8              ; long mode
    wrmsr
    mov eax, cr0
    and eax, ~(1 << 2)          ; no emulation of the floating-point unit
    or eax, (1 << 31) | (1 << 1) | 1
    mov cr0, eax
    lgdt [descriptors.pointer]
    jmp CODE_SEGMENT:in_long_mode
stop:
    hlt
    jmp stop

bits 64
in_long_mode:
    mov ax, DATA_SEGMENT
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov rsp, STACK
    mov eax, 13                 ; CPUID: which registers XCR0 can switch on
    xor ecx, ecx
    cpuid
    and eax, 0x600e7            ; x87, SSE, AVX, AVX-512, AMX
    xor ecx, ecx
    xor edx, edx
    xsetbv
    mov rbx, PAYLOAD
    mov rdi, [rbx + 8]
    call [rbx]
    mov rsi, [rbx + 16]
    mov rcx, [rbx + 24]
write_byte:
    lodsb
    mov ah, al
    shr al, 4
    call write_digit
    mov al, ah
    and al, 15
    call write_digit
    loop write_byte
    mov dx, 0x8900              ; Bochs: the word "Shutdown" on this port
    mov rsi, shutdown
    mov rcx, 8
    rep outsb
    jmp $
write_digit:
    add al, '0'
    cmp al, '9'
    jbe .write
    add al, 'a' - '0' - 10
.write:
    out 0xe9, al
    ret

align 4
descriptors:
    dq 0
    dq 0x00209a0000000000
    dq 0x0000920000000000
.pointer:
    dw $ - descriptors - 1
    dd descriptors
shutdown: db 'Shutdown'
align 4
packet:
    db 16, 0
    dw 1
    dw 0
.segment: dw PAYLOAD >> 4
.sector: dd 1
    dd 0

times 508 - ($ - $$) db 0
sectors: dw 0
    dw 0xaa55
