/*
 * The end of the server, and memory that is short, against clients that come and go: what was
 * acknowledged is stored, nothing begins once the end has, no Will of a client that said goodbye goes
 * out, and the end comes whatever peers and disk do. While the memory is short, who has a Session is
 * let in and who has none is refused.
 *
 * Mirrors
 *   src/_server_reception.ts        accepted drain shutDown isBehind #close #ended
 *   src/_server_turns.ts            end #commit
 *   src/broker/broker.ts            opened drain authenticated committed setPressure stopping close gone
 *   src/broker/turn.ts              passesOver
 *   src/broker/inbound.ts           receive #publish #connect
 *   src/broker/session_registry.ts  accept close #hasRoom
 *   src/broker/ack_gate.ts          acknowledge release
 *   src/broker/shedding.ts          set
 *   src/transport/connection_driver.ts  flush #writeLoop #finish #end
 *
 * Connection 0 has a Will and publishes; connection 1 comes at any time, with the Client Identifier
 * of a Session that is there or with a new one. Promises 0 and 1 are the PUBACKs of the first,
 * promise 2 is the CONNACK of the second. The steps after `drain` are those of `Server.stop`.
 */
#ifndef MESSAGES
#define MESSAGES 1
#endif
#ifndef CHANGES
#define CHANGES 1
#endif

#define AWAY 0
#define OPEN 1
#define CONNECTED 2
#define CLOSED 3      /* its last bytes are still to be sent */
#define ENDED 4

/* a promise */
#define NONE 0
#define GATED 1
#define OUTBOX 2
#define WRITING 3     /* the socket was given it */
#define TAKEN 4
#define PASSED_OVER 5
#define LOST 6

/* a Will */
#define SET 1
#define PUBLISHED 2
#define DISCARDED 3

/* the server */
#define SERVING 0
#define DRAINING 1
#define DRAINED 2
#define SHUTTING 3
#define SHUT 4
#define GONE 5

byte at[2] = { CONNECTED, AWAY };
byte promise[3];
bool stored[3];        /* what it promises is on the disk */
bool refusal;          /* promise 2 is a refusal */
byte will = SET;
bool said;             /* connection 0 has said goodbye */
bool known;            /* connection 1 has asked for the Session that is there */
bool tried;            /* it has sent its CONNECT */
bool finished[2];      /* we have closed our side */
bool linger[2];        /* a timer ends it */
byte phase;
bool late;             /* the time for the drain is over */
bool pressure;         /* the memory is short */
byte changes;          /* of that; few are enough */
byte sessions = 2;
byte i;                /* 0 between steps, like all below */
byte c;
bool behind;
bool asks;

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (i == 0)

#define of(p) (p / 2)
#define RUNNING (phase != GONE)

#define STATE \
  printf(" said=%d", said); \
  printf(" phase=%d pressure=%d sessions=%d will=%d late=%d tried=%d changes=%d known=%d refusal=%d", \
    phase, pressure, sessions, will, late, tried, changes, known, refusal); \
  for (i : 0 .. 1) { \
    printf(" at%d=%d finished%d=%d linger%d=%d", i, at[i], i, finished[i], i, linger[i]) \
  } \
  for (i : 0 .. 2) { \
    printf(" promise%d=%d stored%d=%d", i, promise[i], i, stored[i]) \
  }
#define BEFORE printf("@"); STATE
#define AFTER holds(); STATE; printf("\n"); i = 0; c = 0; behind = false; asks = false

inline holds() {
  for (i : 0 .. 2) {
    assert(!((promise[i] == OUTBOX || promise[i] == WRITING || promise[i] == TAKEN) &&
      !stored[i] && !(i == 2 && refusal)));
    assert(!(promise[i] == PASSED_OVER && stored[i]));
    assert(!((promise[i] == GATED || promise[i] == WRITING) && at[of(i)] == ENDED))
  }
  assert(!(at[0] != CONNECTED && will == SET));
  assert(!(said && will == PUBLISHED));
  assert(!(linger[0] && at[0] != CLOSED) && !(linger[1] && at[1] != CLOSED))
}

inline finish_socket() {
  at[c] = ENDED;
  linger[c] = false;
  for (i : 0 .. 2) {
    if
    :: of(i) == c && (promise[i] == GATED || promise[i] == OUTBOX || promise[i] == WRITING) ->
      promise[i] = LOST
    :: else
    fi
  }
  if
  :: phase == SHUTTING && (at[0] == ENDED) && (at[1] == ENDED || at[1] == AWAY) -> phase = SHUT
  :: else
  fi
}

/* What the driver does at the end of a turn. */
inline flush() {
  behind = false; /* the socket was given something */
  asks = false;   /* something waits at the gate */
  for (i : 0 .. 2) {
    if
    :: of(i) == c && promise[i] == WRITING -> behind = true
    :: of(i) == c && promise[i] == GATED -> asks = true
    :: else
    fi
  }
  if
  :: !behind ->
    for (i : 0 .. 2) {
      if
      :: of(i) == c && promise[i] == OUTBOX -> promise[i] = WRITING; behind = true
      :: else
      fi
    }
  :: else
  fi;
  if
  :: at[c] == CLOSED ->
    linger[c] = true;
    if
    :: !behind && !asks -> finished[c] = true
    :: else
    fi
  :: else
  fi;
  behind = false;
  asks = false
}

/* The end of a connection for the core. */
inline close_connection(fate) {
  if
  :: c == 0 && at[0] == CONNECTED -> will = fate; sessions--
  :: else
  fi;
  at[c] = CLOSED
}

inline look() {
  for (i : 0 .. 2) {
    if
    :: promise[i] == GATED || promise[i] == OUTBOX || promise[i] == WRITING -> behind = true
    :: else
    fi
  }
  if
  :: !behind || late -> phase = DRAINED
  :: else
  fi
}

active proctype first() {
end:
  do
  :: atomic { RUNNING && at[0] == CONNECTED && (promise[0] == NONE || (MESSAGES > 1 && promise[1] == NONE)) ->
    BEFORE;
    i = (promise[0] == NONE -> 0 : 1);
    printf(" > publish %d >", i);
#ifdef MUTANT_ACCEPTS_LATE
    if
    :: phase == SERVING -> promise[i] = GATED
    :: else -> promise[i] = OUTBOX; flush()
    fi;
#else
    promise[i] = (phase == SERVING -> GATED : PASSED_OVER);
#endif
    AFTER }
  :: atomic { RUNNING && at[0] == CONNECTED ->
    BEFORE;
#ifdef MUTANT_DEAF
    if
    :: phase == SERVING -> close_connection(DISCARDED); flush()
    :: else
    fi;
#else
    close_connection(DISCARDED);
    flush();
#endif
    said = true;
    printf(" > goodbye >");
    AFTER }
  :: MAY_REST
  od
}

active proctype second() {
end:
  do
  :: atomic { phase < SHUT && at[1] == AWAY ->
    BEFORE; at[1] = OPEN; printf(" > open >"); AFTER }
  :: atomic { RUNNING && at[1] == OPEN && !tried ->
    if
    :: known = false
    :: known = true
    fi;
    asks = known;
    known = false;
    BEFORE;
    known = asks;
    printf(" > connect %d >", known);
    tried = true;
    c = 1;
    if
    :: phase != SERVING -> promise[2] = PASSED_OVER
#ifdef MUTANT_REFUSES_ALL
    :: phase == SERVING && pressure ->
#else
    :: phase == SERVING && pressure && !known ->
#endif
      refusal = true;
      promise[2] = OUTBOX;
      at[1] = CLOSED;
      flush()
#ifndef MUTANT_REFUSES_ALL
    :: phase == SERVING && pressure && known -> promise[2] = GATED; at[1] = CONNECTED
#endif
    :: phase == SERVING && !pressure ->
      promise[2] = GATED;
      at[1] = CONNECTED;
      if
      :: !known -> sessions++
      :: else
      fi
    fi;
    assert(!(known && refusal)); /* who has a Session takes messages away */
    AFTER }
  :: MAY_REST
  od
}

active proctype peers() {
end:
  do
  :: atomic { RUNNING && (promise[0] == WRITING || promise[1] == WRITING || promise[2] == WRITING) ->
    if
    :: promise[0] == WRITING || promise[1] == WRITING -> c = 0
    :: promise[2] == WRITING -> c = 1
    fi;
    BEFORE;
    printf(" > take %d >", c);
    for (i : 0 .. 2) {
      if
      :: of(i) == c && promise[i] == WRITING -> promise[i] = TAKEN
      :: else
      fi
    }
    flush();
    AFTER }
  :: atomic { RUNNING && at[0] != ENDED ->
    BEFORE; c = 0; close_connection(PUBLISHED); finish_socket(); printf(" > hang_up 0 >"); AFTER }
  :: atomic { RUNNING && at[1] != ENDED && at[1] != AWAY ->
    BEFORE; c = 1; close_connection(PUBLISHED); finish_socket(); printf(" > hang_up 1 >"); AFTER }
  :: MAY_REST
  od
}

active proctype disk() {
end:
  do
  :: atomic { RUNNING && (promise[0] == GATED || promise[1] == GATED || promise[2] == GATED) ->
    BEFORE;
    for (i : 0 .. 2) {
      if
      :: promise[i] == GATED -> promise[i] = OUTBOX; stored[i] = true
      :: promise[i] == LOST && !(i == 2 && refusal) -> stored[i] = true
      :: else
      fi
    }
    for (c : 0 .. 1) { flush() }
    printf(" > answer >");
    AFTER }
  :: MAY_REST
  od
}

active proctype memory() {
end:
  do
  :: atomic { phase == SERVING && changes < CHANGES ->
    BEFORE; pressure = !pressure; changes++; printf(" > pressure %d >", pressure); AFTER }
  :: MAY_REST
  od
}

active proctype signal() {
end:
  do
  :: atomic { phase == SERVING -> BEFORE; phase = DRAINING; look(); printf(" > drain >"); AFTER }
  :: MAY_REST
  od
}

/* The end goes its way. */
active proctype server() {
end:
  do
  :: atomic { phase == DRAINING -> BEFORE; look(); printf(" > look >"); AFTER }
  :: atomic { phase == DRAINED ->
    BEFORE;
    phase = SHUTTING;
    if
    :: (at[0] == ENDED) && (at[1] == ENDED || at[1] == AWAY) -> phase = SHUT
    :: else ->
      for (c : 0 .. 1) {
        if
        :: at[c] == OPEN || at[c] == CONNECTED -> close_connection(PUBLISHED); flush()
        :: else
        fi
      }
    fi;
    printf(" > shut_down >");
    AFTER }
  :: atomic { phase == SHUT -> BEFORE; phase = GONE; printf(" > end >"); AFTER }
  od
}

/* Time passes. */
active proctype clock() {
end:
  do
  :: atomic { phase == DRAINING && !late -> BEFORE; late = true; printf(" > late >"); AFTER }
  :: atomic { phase == SHUTTING -> BEFORE; phase = SHUT; printf(" > enough >"); AFTER }
  :: atomic { RUNNING && linger[0] -> BEFORE; c = 0; finish_socket(); printf(" > linger 0 >"); AFTER }
  :: atomic { RUNNING && linger[1] -> BEFORE; c = 1; finish_socket(); printf(" > linger 1 >"); AFTER }
  od
}

/* The end comes: whatever peers and disk do. */
ltl ends { [] (phase != SERVING -> <> (phase == GONE)) }
/* A client that has said goodbye is not mourned. */
ltl goodbye { [] (will == DISCARDED -> [] (will == DISCARDED)) }
/* Nothing begins once the end has. */
ltl nothing_begins { [] (phase != SERVING && promise[2] == NONE -> [] (promise[2] == NONE || promise[2] == PASSED_OVER)) }
