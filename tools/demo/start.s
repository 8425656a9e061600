// Entry of the demonstration program and the calls that C cannot make: EFI descriptors and the static PAL procedures.
	.text
	.align	16

	// EFI_STATUS start(handle, system_table): finds its own gp, then runs demo_main(handle, system_table).
	.global	start
	.proc	start
start:
	alloc	loc0 = ar.pfs, 2, 4, 2, 0
	mov	loc1 = b0
	mov	loc2 = gp
	;;
1:	mov	loc3 = ip
	mov	out0 = in0
	mov	out1 = in1
	movl	gp = @gprel(1b)
	;;
	sub	gp = loc3, gp		// gp = here - (here - gp)
	;;
	br.call.sptk.many b0 = demo_main
	;;
	mov	gp = loc2
	mov	ar.pfs = loc0
	mov	b0 = loc1
	br.ret.sptk.many b0
	.endp	start

	// unsigned long efi_call(descriptor, a0..a6): calls through {entry, gp}.
	.global	efi_call
	.proc	efi_call
efi_call:
	alloc	loc0 = ar.pfs, 8, 3, 7, 0
	mov	loc1 = b0
	mov	loc2 = gp
	mov	out0 = in1
	mov	out1 = in2
	mov	out2 = in3
	mov	out3 = in4
	mov	out4 = in5
	mov	out5 = in6
	mov	out6 = in7
	ld8	r14 = [in0], 8
	;;
	ld8	gp = [in0]
	mov	b6 = r14
	;;
	br.call.sptk.many b0 = b6
	;;
	mov	gp = loc2
	mov	ar.pfs = loc0
	mov	b0 = loc1
	br.ret.sptk.many b0
	.endp	efi_call

	// void pal_static(entry, index, results[4]): a PAL procedure with static registers and no arguments.
	.global	pal_static
	.proc	pal_static
pal_static:
	alloc	loc0 = ar.pfs, 3, 3, 0, 0
	mov	loc1 = b0
	mov	loc2 = psr
	mov	b6 = in0
	mov	r28 = in1
	mov	r29 = 0
	mov	r30 = 0
	mov	r31 = 0
	rsm	psr.i
	;;
1:	mov	r2 = ip
	;;
	adds	r2 = 2f - 1b, r2
	;;
	mov	b0 = r2
	br.cond.sptk.many b6
	;;
	.align	16
2:	mov	psr.l = loc2
	;;
	srlz.d
	st8	[in2] = r8, 8
	;;
	st8	[in2] = r9, 8
	;;
	st8	[in2] = r10, 8
	;;
	st8	[in2] = r11
	mov	ar.pfs = loc0
	mov	b0 = loc1
	br.ret.sptk.many b0
	.endp	pal_static

	// unsigned long read_cpuid(n), unsigned long read_itc(void)
	.global	read_cpuid
	.proc	read_cpuid
read_cpuid:
	mov	r8 = cpuid[r32]
	br.ret.sptk.many b0
	.endp	read_cpuid

	.global	read_itc
	.proc	read_itc
read_itc:
	mov	r8 = ar.itc
	br.ret.sptk.many b0
	.endp	read_itc

	// What the PE header's entry point names: a function descriptor. Both words are relocated by the loader.
	.section .data, "aw"
	.align	16
	.global	entry_descriptor
entry_descriptor:
	data8	start
	data8	__gp
