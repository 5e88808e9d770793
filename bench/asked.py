"""For Python children of a benchmark: work when asked, and end when nobody asks any more.

`for _ in asked():` runs its body for each line from standard input. Where the input ends, so does the loop; where its
body is still at work two seconds later, so does the process: whoever asked is gone, and a step may take a minute.
"""
import os
import queue
import signal
import sys
import threading
import time

# Ctrl+C reaches the whole group; the parent ends this process.
signal.signal(signal.SIGINT, signal.SIG_IGN)


def asked():
    while lines.get() is not None:
        yield


def say(*words):
    """Answers the parent, whole and at once."""
    try:
        print(*words, flush=True)
    except BrokenPipeError:
        os._exit(1)


def _listen():
    for line in sys.stdin:
        lines.put(line)
    lines.put(None)
    time.sleep(2)
    os._exit(1)


lines = queue.Queue()
threading.Thread(target=_listen, daemon=True).start()
