import subprocess,sys,re
out=subprocess.run(['objdump','-drC','--no-show-raw-insn',sys.argv[1]],capture_output=True,text=True).stdout
fn=None
L=out.splitlines()
for i,l in enumerate(L):
    m=re.match(r'^[0-9a-f]+ <(.*)>:$',l)
    if m: fn=m.group(1)
    if fn and '.actor' not in fn and '.destroy' not in fn and 'lea' in l:
        # followed by reloc to .actor then store
        blk=L[i+1:i+3]
        if any('actor' in x for x in blk) or True:
            s=[x for x in blk if re.search(r'mov\s+%r\w+,(0x[0-9a-f]+)?\(%r[ab]x\)',x)]
            r=[x for x in blk if 'R_X86' in x and '.text' in x]
            if s and r: print(fn[:110], s[0].split('mov')[1])
