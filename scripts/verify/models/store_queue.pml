/*
 * The queue before the thread of the store: batches become groups, one request at a time is at the
 * device, what fails is tried again, and the end waits for what was handed over but not for a disk in
 * trouble. Nobody is told that a batch is kept before it is as durable as was asked for.
 *
 * Mirrors
 *   src/store/durable_store.ts  commit close receive #next #sendDueMs #syncDueMs #wakeAfter #send
 *                               #sync #committed #written #synced #durable #failed #tryAgain
 *                               #recovered #end #mayAcknowledgeFirst #oldest
 *   src/store/store_worker.ts   handle #commit #sync #close
 *   src/store/batch_journal.ts  seal
 *
 * INTERVAL=1 is durability "interval": a batch is acknowledged first, and synced within a window.
 * Time goes in units of 50 ms, and only where a timer rings or the device is slow.
 */
#ifndef N
#define N 2
#endif
#ifndef INTERVAL
#define INTERVAL 0
#endif
#ifndef FAILURES
#define FAILURES 2
#endif

#define PATIENCE 1       /* UNAWAITED_MS */
#define HALF_WINDOW 10
#define WINDOW 20        /* syncIntervalMs */
#define RETRY_FIRST 1
#define RETRY_LONGEST 100
#define NEVER 255

/* where a batch is */
#define NOWHERE 0
#define FILLING 1
#define FLYING 2
#define UNSYNCED 3
#define SYNCING 4
#define DURABLE 5
#define REFUSED 6

/* what its publisher was told */
#define FIRST 1
#define WAITS 2
#define KEPT 3
#define REJECTED 4

/* what is at the device */
#define COMMIT 1
#define SYNC 2

byte where[N];
byte told[N];
byte sealed[N];        /* when the group of the batch began */
bool synced[N];        /* the device has brought it to the disk */
byte batches;
bool awaited;          /* somebody waits for the group that is being filled */
byte device;           /* the request at the device */
bool stuck;            /* the last request failed */
bool retry;            /* it is to be given to the device again */
byte retry_after = RETRY_FIRST;
byte wake;             /* when the timer rings; 0 for none */
byte now = 1;
bool failed;           /* for good */
bool closing;
bool asked;            /* the device was told to end */
bool closed;
byte failures;
bool slow;             /* the device was slow once */
byte i;                /* 0 between steps, like all below */
byte j;
byte send_due;
byte sync_due;
bool waits;

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (i == 0)

#define STATE \
  printf(" device=%d asked=%d closed=%d failed=%d timer=%d now=%d batches=%d", \
    device, asked, closed, failed, wake, now, batches); \
  printf(" awaited=%d stuck=%d retry=%d retry_after=%d closing=%d failures=%d slow=%d", \
    awaited, stuck, retry, retry_after, closing, failures, slow); \
  for (j : 0 .. N - 1) { \
    printf(" told%d=%d where%d=%d sealed%d=%d synced%d=%d", \
      j, told[j], j, where[j], j, sealed[j], j, synced[j]) \
  }
#define BEFORE printf("@"); STATE
#define AFTER STATE; printf("\n"); i = 0; j = 0; send_due = 0; sync_due = 0; waits = false

inline move(source, target) {
  for (j : 0 .. N - 1) {
    if
    :: where[j] == source -> where[j] = target
    :: else
    fi
  }
}

/* The end of the device, whatever it still had to write. */
inline finish() {
  if
  :: !asked -> asked = true
  :: else
  fi
}

inline durable(source) {
  for (j : 0 .. N - 1) {
    if
    :: where[j] == source ->
      assert(synced[j]); /* what is told is so */
      where[j] = DURABLE;
      if
      :: told[j] == WAITS -> told[j] = KEPT
      :: else
      fi
    :: else
    fi
  }
}

inline next() {
  send_due = NEVER;
  sync_due = NEVER;
  waits = false; /* a request is at work */
  for (j : 0 .. N - 1) {
    if
    :: where[j] == FLYING || where[j] == SYNCING -> waits = true
    :: where[j] == FILLING && send_due == NEVER ->
      if
      :: closing || awaited || sealed[j] + PATIENCE <= now -> send_due = 0
      :: else -> send_due = sealed[j] + PATIENCE - now
      fi
#if INTERVAL
    :: where[j] == UNSYNCED && sync_due == NEVER ->
      if
      :: closing || sealed[j] + HALF_WINDOW <= now -> sync_due = 0
      :: else -> sync_due = sealed[j] + HALF_WINDOW - now
      fi
#endif
    :: else
    fi
  }
  if
  :: waits || asked
  :: else ->
    if
#if INTERVAL
    :: sync_due == 0 ->
      assert(device == 0);
      move(UNSYNCED, SYNCING);
      device = SYNC
#endif
    :: sync_due > 0 && send_due == 0 ->
      assert(device == 0); /* one at a time */
      move(FILLING, FLYING);
      awaited = false;
      device = COMMIT
    :: sync_due > 0 && send_due > 0 && closing ->
      for (j : 0 .. N - 1) { /* nothing that was handed over is left behind */
        assert(where[j] == NOWHERE || where[j] == DURABLE || where[j] == REFUSED)
      }
      finish()
    :: sync_due > 0 && send_due > 0 && !closing ->
      if
#if INTERVAL
      :: sync_due < send_due -> wake = now + sync_due
#endif
      :: send_due <= sync_due && send_due < NEVER -> wake = now + send_due
      :: send_due == NEVER && sync_due == NEVER
      fi
    fi
  fi
}

inline try_again() {
  wake = 0;
  if
  :: retry ->
    retry = false;
    assert(device == 0 && !asked);
    device = COMMIT;
#if INTERVAL
    for (j : 0 .. N - 1) {
      if
      :: where[j] == SYNCING -> device = SYNC
      :: else
      fi
    }
#endif
  :: else
  fi
}

inline recovered() {
  stuck = false;
  retry_after = RETRY_FIRST
}

active proctype turns() {
  bool lasts;
end:
  do
  :: atomic { batches < N ->
    if
    :: lasts = false
    :: lasts = true
    fi;
    BEFORE;
    i = batches;
    batches++;
    if
    :: failed -> where[i] = REFUSED; told[i] = REJECTED
    :: else ->
      where[i] = FILLING;
      sealed[i] = now;
      for (j : 0 .. N - 1) {
        if
        :: j < i && where[j] == FILLING -> sealed[i] = sealed[j]
        :: else
        fi
      }
      awaited = awaited || lasts;
      next();
      told[i] = WAITS;
#if INTERVAL
      waits = false; /* the oldest one was found */
      for (j : 0 .. N - 1) { /* the oldest one that is not durable */
        if
        :: !waits && where[j] != DURABLE && where[j] != NOWHERE ->
          waits = true;
#ifdef MUTANT_NO_WINDOW
          told[i] = FIRST
#else
          if
          :: now - sealed[j] < WINDOW -> told[i] = FIRST
          :: else
          fi
#endif
        :: else
        fi
      }
      for (j : 0 .. N - 1) { /* a power cut takes back no more than the window */
        assert(told[i] != FIRST || where[j] == NOWHERE || where[j] == DURABLE ||
          now - sealed[j] < WINDOW)
      }
#endif
    fi;
    printf(" > commit %d >", lasts);
    lasts = false;
    AFTER }
  :: MAY_REST /* nobody has to publish */
  od
}

active proctype thread() {
end:
  do
  :: atomic { device == COMMIT ->
    BEFORE;
    device = 0;
    recovered();
#if INTERVAL
    move(FLYING, UNSYNCED);
#else
    for (j : 0 .. N - 1) {
      if
      :: where[j] == FLYING -> synced[j] = true
      :: else
      fi
    }
    durable(FLYING);
#endif
    next();
    printf(" > committed >");
    AFTER }
#if INTERVAL
  :: atomic { device == SYNC ->
    BEFORE;
    device = 0;
    for (j : 0 .. N - 1) {
      if
      :: where[j] == SYNCING -> synced[j] = true
      :: else
      fi
    }
    recovered();
#ifdef MUTANT_SYNC_COVERS_ALL
    durable(FILLING);
#endif
    durable(SYNCING);
    next();
    printf(" > synced >");
    AFTER }
#endif
  :: atomic { device != 0 && failures < FAILURES ->
    BEFORE;
    device = 0;
    failures++;
    if
    :: closing && stuck -> finish()
    :: else ->
      stuck = true;
      retry = true;
      if
      :: closing -> try_again()
      :: else ->
        wake = now + retry_after;
#ifdef MUTANT_TIMER_LOST
        wake = 0;
#endif
        retry_after = retry_after * 2
      fi
    fi;
    printf(" > fail >");
    AFTER }
  :: atomic { device != 0 && failures < FAILURES ->
    BEFORE;
    device = 0;
    failures++;
    failed = true;
    for (j : 0 .. N - 1) {
      if
      :: told[j] == WAITS -> told[j] = REJECTED
      :: else
      fi
    }
    if
    :: closing -> finish()
    :: else
    fi;
    printf(" > fail_for_good >");
    AFTER }
  :: atomic { asked && !closed && device == 0 ->
    BEFORE;
    closed = true;
    printf(" > ended >");
    AFTER }
  od
}

active proctype clock() {
end:
  do
  :: atomic { wake > 0 ->
    BEFORE;
    if
    :: wake > now -> now = wake
    :: else
    fi;
    wake = 0;
    if
    :: retry -> try_again()
    :: else -> next()
    fi;
    printf(" > ring >");
    AFTER }
  od
}

active proctype slowness() {
end:
  do
  :: atomic { device != 0 && !slow && (wake == 0 || wake > now + WINDOW) ->
    BEFORE;
    slow = true;
    now = now + WINDOW;
    printf(" > slow >");
    AFTER }
  :: MAY_REST
  od
}

active proctype owner() {
end:
  do
  :: atomic { !closing ->
    BEFORE;
    closing = true;
    if
    :: failed -> finish()
    :: else
    fi;
    try_again();
    next();
    printf(" > close >");
    AFTER }
  :: MAY_REST
  od
}

/* Whoever waits is told, once faults stop, and nothing stays on its way for ever. */
ltl answered { <> [] (failed || closed || (told[0] != WAITS && told[N - 1] != WAITS)) }
ltl durable_in_the_end { <> [] (failed || closed || (where[0] != UNSYNCED && where[0] != SYNCING && where[0] != FLYING && where[0] != FILLING)) }
/* The end comes, whatever the disk does. */
ltl ends { [] (closing -> <> closed) }
