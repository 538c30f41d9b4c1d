/*
 * An outbox that drains into a socket, backpressure, and the end of the connection: nobody is held
 * by a client that is gone or has had its time, our side is closed behind the last byte only, and
 * every connection that has ended lets go of its socket.
 *
 * Mirrors
 *   src/transport/connection_driver.ts  run resume flush #present #untilReadable #writeLoop #finish #end
 *   src/broker/broker.ts                receive drained close gone tick endTurn #tickConnection
 *   src/broker/flow_control.ts          press progress limitSelf relaxSelf forget tick #release #backlogged
 *   src/broker/sender.ts                forward #sendQos0
 *   src/broker/session_registry.ts      close
 *
 * A publisher sends messages at QoS 0 to a subscriber whose socket takes what it likes; the
 * subscriber asks for answers as well. Everything is counted in messages of one size.
 */
#ifndef HIGH
#define HIGH 2
#endif
#ifndef LOW
#define LOW 1
#endif
#ifndef MOST
#define MOST 4
#endif

/* the subscriber's connection */
#define CONNECTED 0
#define CLOSED 1     /* its last bytes are still to be sent */
#define ABORTED 2

byte outbox;
byte writing;        /* what the socket was given and has not taken */
byte state;
bool present = true; /* the publisher is there */
bool held;           /* it is not read */
bool congested;      /* the subscriber is behind */
bool slow;           /* it was so for too long, and holds nobody */
bool own;            /* its own answers keep it from being read */
bool blocked;        /* the loop that reads it waits */
bool eof;            /* the peer has closed its side */
bool finished;       /* we have closed ours */
bool ended;          /* the socket is gone */
bool linger;         /* a timer ends it */
byte count;          /* 0 between steps */

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (count == 0)

#define STATE \
  printf(" outbox=%d writing=%d closed=%d held=%d congested=%d slow=%d own=%d", \
    outbox, writing, state != CONNECTED, held, congested, slow, own); \
  printf(" blocked=%d finished=%d ended=%d linger=%d present=%d eof=%d state=%d", \
    blocked, finished, ended, linger, present, eof, state)
#define BEFORE printf("@"); STATE
#define AFTER holds(); STATE; printf("\n"); count = 0

inline holds() {
  /* Whoever is held is held for somebody: no wake-up is lost. */
  assert(!held || (present && congested && !slow && state == CONNECTED));
  assert(outbox + writing <= MOST + 1);
  assert(!(writing == 0 && outbox > 0));
  assert(!(ended && (linger || blocked || state != ABORTED)));
  assert(!own || blocked || state != CONNECTED)
}

inline forget() {
  congested = false;
#ifndef MUTANT_FORGETS
  held = false
#else
  skip
#endif
}

/* `#end` of the driver; the loop that reads ends by it. */
inline finish_socket() {
  ended = true;
  linger = false;
  blocked = false;
  own = false;
  outbox = 0;
  writing = 0;
  state = ABORTED
}

/* `#finish` of the driver: our side ends, and the peer's end is waited for. */
inline close_write() {
  if
  :: !finished ->
    assert(outbox == 0 && writing == 0);
    finished = true;
    if
    :: blocked && eof -> finish_socket()
    :: else -> blocked = false
    fi
  :: else
  fi
}

inline flush() {
  if
  :: state == ABORTED -> finish_socket()
  :: else ->
    if
    :: state == CLOSED -> linger = true
    :: else
    fi;
#ifdef MUTANT_CLOSES_EARLY
    if
    :: state == CLOSED && outbox == 0 -> close_write()
    :: else
    fi;
#endif
    if
    :: writing == 0 && outbox > 0 -> writing = outbox; outbox = 0
    :: writing == 0 && outbox == 0 && state == CLOSED -> close_write()
    :: else
    fi
  fi
}

active proctype publisher() {
end:
  do
  :: atomic { present && !held && state == CONNECTED && outbox + writing + 1 <= MOST ->
    BEFORE;
    outbox++;
    if
    :: outbox + writing > HIGH ->
      congested = true;
      if
      :: !slow -> held = true
      :: else
      fi
    :: else
    fi;
    flush();
    printf(" > publish >");
    AFTER }
  :: atomic { present && !held && state == CONNECTED && outbox + writing + 1 > MOST ->
    BEFORE; printf(" > drop >"); AFTER }
  :: atomic { present -> BEFORE; present = false; held = false; printf(" > lose_publisher >"); AFTER }
  :: MAY_REST
  od
}

active proctype subscriber() {
end:
  do
  :: atomic { state == CONNECTED && !blocked && !eof ->
    BEFORE;
    outbox++;
    if
    :: outbox + writing > MOST -> own = true; blocked = true
    :: else
    fi;
    flush();
    printf(" > ask >");
    AFTER }
  :: atomic { state == CONNECTED && !blocked && !eof ->
    BEFORE; state = CLOSED; forget(); flush(); printf(" > goodbye >"); AFTER }
  :: atomic { !eof && !ended ->
    BEFORE;
    eof = true;
    if
    :: !blocked -> forget(); finish_socket()
    :: else
    fi;
    printf(" > hang_up >");
    AFTER }
  :: MAY_REST
  od
}

active proctype socket() {
end:
  do
  :: atomic { writing > 0 && !eof ->
    if
    :: count = 1
    :: writing > 1 -> count = writing
    fi;
    BEFORE;
    printf(" > take %d >", count);
    writing = writing - count;
    if
    :: state == CONNECTED ->
      if
      :: congested && outbox + writing <= LOW ->
        congested = false;
#ifndef MUTANT_LOST_WAKE_UP
        held = false;
#endif
        slow = false
      :: else
      fi;
      if
      :: own && outbox + writing <= LOW -> own = false; blocked = false
      :: else
      fi
    :: else
    fi;
    flush();
    AFTER }
  :: atomic { writing > 0 -> BEFORE; forget(); finish_socket(); printf(" > reset >"); AFTER }
  :: MAY_REST
  od
}

active proctype server() {
end:
  do
  :: atomic { state == CONNECTED ->
    BEFORE; state = CLOSED; forget(); flush(); printf(" > close >"); AFTER }
  :: MAY_REST
  od
}

/* Time passes for everybody. */
active proctype time() {
end:
  do
  :: atomic { state == CONNECTED && congested && !slow ->
    BEFORE; slow = true; held = false; printf(" > grace >"); AFTER }
  :: atomic { state == CONNECTED && writing > 0 ->
    BEFORE;
    if
    :: congested -> slow = true
    :: else
    fi;
    forget();
    finish_socket();
    printf(" > stall >");
    AFTER }
  :: atomic { linger -> BEFORE; finish_socket(); printf(" > linger >"); AFTER }
  od
}

/* Nobody is held for ever, and nobody keeps himself from being read for ever. */
ltl freed { [] (held -> <> !held) }
ltl relaxed { [] (own -> <> !own) }
/* What is closed lets go of its socket. */
ltl ends { [] (state != CONNECTED -> <> ended) }
