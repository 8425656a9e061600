// Entry of a freestanding program: stacks, global pointer, floating-point state; calls run(results); stops at `done`.
        .text
        .global _start
        .proc   _start
_start:
        .explicit
        alloc   r2 = ar.pfs, 0, 0, 2, 0
        movl    gp = __gp ;;
        movl    sp = 0x300000
        movl    r8 = 0x200000
        mov     ar.rsc = BACKING_STORE_ORDER ;;
        mov     ar.bspstore = r8
        movl    r9 = 0x9804c0270033f ;;
        mov     ar.fpsr = r9
        movl    r32 = results
        br.call.sptk.many rp = run ;;
        .global done
done:
        nop.m   0
        nop.i   0
        br.sptk done ;;
        .endp   _start

// save_context(to): stack pointers, return address, frame and preserved registers of the caller; returns 0, and 1 after restore_context.
        .global save_context
        .proc   save_context
save_context:
        flushrs
        mov     r14 = ar.bsp
        mov     r15 = ar.pfs ;;
        mov     r16 = b0
        st8     [r32] = r14, 8
        mov     r8 = 0 ;;
        st8     [r32] = r15, 8 ;;
        st8     [r32] = r16, 8 ;;
        mov     r17 = ar.lc
        mov     r18 = pr
        st8     [r32] = sp, 8 ;;
        st8     [r32] = r17, 8 ;;
        st8     [r32] = r18, 8 ;;
        st8     [r32] = r4, 8 ;;
        st8     [r32] = r5, 8 ;;
        st8     [r32] = r6, 8 ;;
        st8     [r32] = r7
        br.ret.sptk.many b0 ;;
        .endp   save_context

// restore_context(from): the registers of the frame that called save_context come back from the backing store.
        .global restore_context
        .proc   restore_context
restore_context:
        ld8     r14 = [r32], 8 ;;
        ld8     r15 = [r32], 8 ;;
        ld8     r16 = [r32], 8 ;;
        ld8     r17 = [r32], 8 ;;
        ld8     r18 = [r32], 8 ;;
        ld8     r19 = [r32], 8 ;;
        ld8     r4 = [r32], 8 ;;
        ld8     r5 = [r32], 8 ;;
        ld8     r6 = [r32], 8 ;;
        ld8     r7 = [r32]
        flushrs
        invala ;;
        mov     ar.bspstore = r14 ;;
        mov     ar.rnat = r0
        mov     ar.pfs = r15
        mov     b0 = r16
        mov     sp = r17
        mov.i   ar.lc = r18
        mov     pr = r19, -1
        mov     r8 = 1 ;;
        br.ret.sptk.many b0 ;;
        .endp   restore_context
