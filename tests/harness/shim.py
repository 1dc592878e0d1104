"""What the system says to a daemon, changed: C that stands in front of the C library's functions."""
import os
import subprocess


def preloaded(folder, source, **environment):
    """For `under=` of a program."""
    (folder / "shim.c").write_text("#define _GNU_SOURCE\n" + source)
    subprocess.run(["g++", "-x", "c", "-shared", "-fPIC", "-o", "shim.so", "shim.c"], cwd=folder, check=True)
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # which else wants to be the first that is loaded
    return ("env", f"LD_PRELOAD={folder}/shim.so", f"ASAN_OPTIONS={sanitizer}", *(f"{name}={value}" for name, value in environment.items()))
