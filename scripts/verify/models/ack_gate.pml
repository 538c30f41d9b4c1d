/*
 * The ack gate with group commit and crash: nothing that promises durability leaves before it is on
 * the disk, whatever the disk does and whenever the process dies; and everything leaves in the end.
 *
 * Mirrors
 *   src/broker/ack_gate.ts      acknowledge acknowledgementBuffer #gated release #releaseConnection
 *   src/broker/inbound.ts       #publish
 *   src/broker/broker.ts        committed endTurn
 *   src/store/batch_journal.ts  seal awaitCommit
 *   src/store/durable_store.ts  commit #next #send receive #committed #failed #tryAgain
 *   src/_server_turns.ts        end #commit
 *
 * Two clients publish N messages at QoS 1. A durable one leaves a record, so its PUBACK waits for the
 * commit of the batch that was open then; one that is not durable leaves none. A state is printed
 * before and after every step, so that the steps can be repeated on the code itself.
 */
#ifndef N
#define N 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FAILURES
#define FAILURES 1
#endif

#define NONE 0
#define GATED 1
#define OUTBOX 2
#define DELIVERED 3
#define LOST 4

byte ack[N];      /* where the PUBACK of a message is */
byte client[N];   /* who published it */
bool durable[N];
byte batch[N];    /* what the PUBACK waits for */
bool kept[N];     /* whether the message is on the disk */

byte sent;        /* messages so far */
byte open = 1;    /* the batch that is being filled */
bool dirty;       /* whether it holds anything */
byte filling;     /* last batch of the group that waits for the device; 0 for none */
byte flying;      /* last batch of the group at the device */
bool written;     /* the device has carried it out and has not said so yet */
bool stuck;       /* it has failed and is to be tried again */
byte told;        /* last batch whose promise is resolved and has not been acted on */
byte crashes;
byte failures;
byte i;           /* 0 between steps, like all below */
byte last;
byte from;
bool lasts;

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (i == 0)

#define STATE \
  printf(" open=%d dirty=%d device=%d stuck=%d filling=%d told=%d", \
    open, dirty, flying > 0 && !stuck, stuck, filling > 0, told); \
  printf(" sent=%d written=%d crashes=%d failures=%d flying=%d", \
    sent, written, crashes, failures, flying); \
  for (i : 0 .. N - 1) { \
    printf(" ack%d=%d kept%d=%d", i, ack[i], i, kept[i]); \
    printf(" client%d=%d durable%d=%d batch%d=%d", i, client[i], i, durable[i], i, batch[i]) \
  }
#define BEFORE printf("@"); STATE
#define AFTER STATE; printf("\n"); i = 0; last = 0; from = 0; lasts = false

inline commit() {
  if
  :: dirty ->
    dirty = false;
    filling = open;
    open++;
    if
    :: flying == 0 -> flying = filling; filling = 0
    :: else
    fi
  :: else
  fi
}

inline flush() {
  for (i : 0 .. N - 1) {
    if
    :: ack[i] == OUTBOX ->
      ack[i] = DELIVERED;
      assert(!durable[i] || kept[i]); /* what is acknowledged is stored */
      for (last : 0 .. N - 1) { /* [MQTT-4.6.0-2] */
        assert(!(last < i && client[last] == client[i] && ack[last] == GATED))
      }
    :: else
    fi
  }
}

#define waits_outside (ack[0] == OUTBOX || ack[1] == OUTBOX || ack[N - 1] == OUTBOX || ack[N - 2] == OUTBOX)

active proctype clients() {
end:
  do
  :: atomic { sent < N ->
    if
    :: from = 0
    :: from = 1
    fi;
    if
    :: lasts = false
    :: lasts = true
    fi;
    BEFORE;
    client[sent] = from;
    durable[sent] = lasts;
    for (i : 0 .. N - 1) {
      if
      :: ack[i] == GATED && client[i] == from && batch[i] > last -> last = batch[i]
      :: else
      fi
    }
    if
#ifdef MUTANT_ACK_FIRST
    :: lasts -> ack[sent] = OUTBOX; batch[sent] = open; dirty = true
#else
    :: lasts -> ack[sent] = GATED; batch[sent] = open; dirty = true
#endif
#ifdef MUTANT_OVERTAKE
    :: !lasts -> ack[sent] = OUTBOX
#else
    :: !lasts && last > 0 -> ack[sent] = GATED; batch[sent] = last
    :: !lasts && last == 0 -> ack[sent] = OUTBOX
#endif
    fi;
    sent++;
    printf(" > publish %d %d >", from, lasts);
    AFTER }
  :: MAY_REST /* nobody has to publish */
  od
}

active proctype loop() {
end:
  do
  :: atomic { dirty || waits_outside ->
    BEFORE;
    commit();
    flush();
    printf(" > turn >");
    AFTER }
  :: atomic { told > 0 ->
    BEFORE;
    for (i : 0 .. N - 1) {
      if
#ifdef MUTANT_RELEASE_ALL
      :: ack[i] == GATED -> ack[i] = OUTBOX
#else
      :: ack[i] == GATED && batch[i] <= told -> ack[i] = OUTBOX
#endif
      :: else
      fi
    }
    told = 0;
    commit();
    flush();
    printf(" > release >");
    AFTER }
  od
}

active proctype device() {
end:
  do
  :: atomic { flying > 0 && !stuck && !written ->
    BEFORE;
    written = true;
    for (i : 0 .. N - 1) {
      if
      :: durable[i] && ack[i] != NONE && ack[i] != LOST && batch[i] <= flying -> kept[i] = true
      :: else
      fi
    }
    printf(" > write >");
    AFTER }
  :: atomic { written ->
    BEFORE;
    told = flying;
    written = false;
    flying = filling;
    filling = 0;
    printf(" > answer >");
    AFTER }
  :: atomic { flying > 0 && !stuck && !written && failures < FAILURES ->
    BEFORE;
    stuck = true;
    failures++;
    printf(" > fail >");
    AFTER }
  od
}

active proctype timer() {
end:
  do
  :: atomic { stuck -> BEFORE; stuck = false; printf(" > retry >"); AFTER }
  od
}

active proctype power() {
end:
  do
  :: atomic { crashes < CRASHES ->
    BEFORE;
    crashes++;
    for (i : 0 .. N - 1) {
      assert(!(ack[i] == DELIVERED && durable[i] && !kept[i]));
      if
      :: ack[i] == GATED || ack[i] == OUTBOX -> ack[i] = LOST
      :: else
      fi;
      batch[i] = 0
    }
    open = 1; dirty = false; filling = 0; flying = 0;
    written = false; stuck = false; told = 0;
    printf(" > crash >");
    AFTER }
  :: MAY_REST
  od
}

#define settled(m) (ack[m] == NONE || ack[m] == DELIVERED || ack[m] == LOST)

/* Once faults stop, no PUBACK waits for ever. */
ltl answered { <> [] (settled(0) && settled(1) && settled(N - 2) && settled(N - 1)) }
/* What is on the disk is never taken back. */
ltl keeps { [] (kept[0] -> [] kept[0]) }
