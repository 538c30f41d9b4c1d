/*
 * Take-over of a Client Identifier while verdicts on passwords are under way: K connections ask for
 * one Session. Whoever is not let in disturbs nobody, and nobody but the last one let in has it.
 *
 * Mirrors
 *   src/broker/inbound.ts           #connect
 *   src/broker/broker.ts            opened authenticated close gone
 *   src/broker/session_registry.ts  accept refuse close restore #takeOver #open #detach #discard #connack
 *   src/broker/subscriptions.ts     subscribe
 *   src/broker/wills.ts             publishDue
 *   src/_server_turns.ts            end
 *
 * Every client has a Will. `lose` stands for all ends of a connection without DISCONNECT.
 */
#ifndef K
#define K 3
#endif

/* where a connection is */
#define AWAY 0
#define AWAIT_CONNECT 1
#define AUTHENTICATING 2
#define CONNECTED 3
#define CLOSED 4

/* what it was told */
#define ACCEPTED 1
#define RESUMED 2
#define DENIED 3

/* its Will */
#define SET 1
#define PUBLISHED 2
#define DISCARDED 3

/* the Session */
#define ABSENT 0
#define TRANSIENT 1
#define PERSISTENT 2
#define STORED 3

byte at[K];
bool clean[K];
byte connack[K];
byte will[K];
bool asked[K];      /* a verdict is under way, whatever has become of the connection */
byte session;
byte holder;        /* who has the Session, from 1; 0 for nobody */
bool subscribed;    /* what the Session holds */
byte opened;
byte i;             /* 0 between steps, like all below */
byte was;
byte had;
bool wants;

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (i == 0)

#define STATE \
  printf(" session=%d subscriptions=%d holder=%d opened=%d", \
    session, subscribed, holder, opened); \
  for (i : 0 .. K - 1) { \
    printf(" at%d=%d connack%d=%d will%d=%d asked%d=%d clean%d=%d", \
      i, at[i], i, connack[i], i, will[i], i, asked[i], i, clean[i]) \
  }
#define BEFORE printf("@"); STATE
#define AFTER holds(); STATE; printf("\n"); i = 0; was = 0; had = 0; wants = false

/* What is always so. [MQTT-3.1.4-2] */
inline holds() {
  for (i : 0 .. K - 1) {
    assert((at[i] == CONNECTED) == (holder == i + 1));
    assert(!(at[i] == CONNECTED && connack[i] != ACCEPTED && connack[i] != RESUMED));
    assert(!(at[i] == CONNECTED && will[i] != SET));
    assert(!(connack[i] == DENIED && will[i] != 0))
  }
  assert((holder != 0) == (session == TRANSIENT || session == PERSISTENT));
  assert(!(session == ABSENT && subscribed))
}

/* The client of the Session is gone. */
inline detach() {
  holder = 0;
  if
  :: session == TRANSIENT -> session = ABSENT; subscribed = false
  :: session == PERSISTENT -> session = STORED
  fi
}

inline end_of(c, fate) {
  at[c] = CLOSED;
  if
  :: holder == c + 1 -> assert(will[c] == SET); will[c] = fate; detach()
  :: else
  fi
}

inline take_over() {
  if
  :: holder != 0 -> was = holder - 1; end_of(was, PUBLISHED)
  :: else
  fi
}

inline accept() {
#ifndef MUTANT_NO_TAKE_OVER
  take_over();
#endif
  assert(connack[i] == 0);
  if
  :: session == STORED && !clean[i] -> connack[i] = RESUMED
  :: session == STORED && clean[i] -> connack[i] = ACCEPTED; subscribed = false
  :: session != STORED -> connack[i] = ACCEPTED
  fi;
  session = (clean[i] -> TRANSIENT : PERSISTENT);
  holder = i + 1;
  will[i] = SET;
  at[i] = CONNECTED
}

proctype client(byte me) {
end:
  do
  :: atomic { at[me] == AWAY && opened == me ->
    BEFORE; opened++; at[me] = AWAIT_CONNECT; printf(" > open %d >", me); AFTER }
  :: atomic { at[me] == AWAIT_CONNECT ->
    if
    :: wants = false
    :: wants = true
    fi;
    BEFORE;
    had = holder;
    at[me] = AUTHENTICATING;
    clean[me] = wants;
    asked[me] = true;
#ifdef MUTANT_EARLY
    take_over();
#endif
    assert(had == holder); /* whoever only asks disturbs nobody */
    printf(" > connect %d %d >", me, wants);
    AFTER }
  :: atomic { at[me] == CONNECTED && !subscribed ->
    BEFORE; subscribed = true; printf(" > subscribe %d >", me); AFTER }
  :: atomic { at[me] == CONNECTED ->
    BEFORE; end_of(me, DISCARDED); printf(" > goodbye %d >", me); AFTER }
  :: atomic { at[me] != AWAY && at[me] != CLOSED ->
    BEFORE; end_of(me, PUBLISHED); printf(" > lose %d >", me); AFTER }
  :: MAY_REST
  od
}

/* The passwords are checked one by one, in any order. */
proctype passwords(byte me) {
end:
  do
  :: atomic { asked[me] ->
    BEFORE;
    asked[me] = false;
    i = me;
    if
#ifdef MUTANT_LATE_VERDICT
    :: true -> accept()
#else
    :: at[me] == AUTHENTICATING -> accept()
    :: else
#endif
    fi;
    printf(" > admit %d >", me);
    AFTER }
  :: atomic { asked[me] ->
    BEFORE;
    asked[me] = false;
    had = holder;
    if
    :: at[me] == AUTHENTICATING ->
      assert(connack[me] == 0);
      connack[me] = DENIED;
      at[me] = CLOSED
    :: else
    fi;
    assert(had == holder);
    printf(" > deny %d >", me);
    AFTER }
  od
}

init {
  atomic {
    for (i : 0 .. K - 1) {
      run client(i);
      run passwords(i)
    }
    i = 0
  }
}

/* Every CONNECT is judged, or its connection ends. */
ltl judged { [] (at[0] == AUTHENTICATING -> <> (at[0] != AUTHENTICATING)) }
/* A Will that was set is published or discarded, once and for all. */
ltl fate { [] ((will[0] == PUBLISHED -> [] (will[0] == PUBLISHED)) && (will[0] == DISCARDED -> [] (will[0] == DISCARDED))) }
/* Whoever was ended comes back on another connection only. */
ltl over { [] (at[0] == CLOSED -> [] (at[0] == CLOSED)) }
