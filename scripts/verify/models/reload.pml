/*
 * Files that are read again while clients log in and publish: whoever was let in is known to the file
 * that was read last, verdicts on publishes are those of the rules in force, and a request is followed
 * by a look at the files as they are then, whatever else is going on.
 *
 * Mirrors
 *   src/_server_reloads.ts          reload #readRules
 *   src/_server_reception.ts        authenticate revoke #authenticate
 *   src/security/gatekeeper.ts      reload verify revocationOf #makePolicy
 *   src/security/password_gate.ts   verify forget
 *   src/security/security_policy.ts connect publish
 *   src/broker/broker.ts            setPolicy authenticated committed
 *   src/broker/turn.ts              ticketOf
 *   src/broker/inbound.ts           #topic #publish
 *   src/broker/topic_cache.ts       judge
 *
 * One user, one topic. A password is hashed on a thread of its own; a file is read in one step, but
 * one file after the other.
 */
#define DENY 0
#define ALLOW 1
#define BROKEN 2      /* a file with a mistake */

#define AWAY 0
#define HASHING 1     /* its password is being checked */
#define CONNECTED 2

#define PASSWORDS 1
#define RULES 2

bool user_stands = true;   /* the files as they lie on the disk */
byte rules_stand = ALLOW;
bool user_known = true;    /* what was read last */
byte rules_known = ALLOW;
byte rules_used = ALLOW;   /* by the core */
bool next;                 /* a reload that has not begun */
byte reading;              /* the file that is being read */
byte client;
bool hashing;              /* a hash is under way */
bool gone;                 /* its client has left meanwhile, which nobody reads before the verdict */
bool was_known;            /* the user stood in the file when it began */
byte waiting;              /* PUBACKs behind the gate */
bool asked;                /* a reload was asked for since the last change */
byte cached = BROKEN;      /* a mutant remembers the first verdict */
byte i;                    /* 0 between steps */

/* Always true: a process that has this choice need not act. Spin takes no plain `true` here. */
#define MAY_REST (i == 0)

#define STATE \
  printf(" reading=%d client=%d waiting=%d hashing=%d user_known=%d next=%d", \
    reading, client, waiting, hashing, user_known, next); \
  printf(" user_stands=%d rules_stand=%d rules_known=%d rules_used=%d was_known=%d asked=%d cached=%d gone=%d", \
    user_stands, rules_stand, rules_known, rules_used, was_known, asked, cached, gone)
#define BEFORE printf("@"); STATE
#define AFTER holds(); STATE; printf("\n"); i = 0

inline holds() {
  /* Between the two files of a reload its user may be gone already. */
  assert(!(client == CONNECTED && !user_known && reading != RULES));
  assert(rules_used == rules_known && rules_used != BROKEN);
  assert(!(next && reading == 0));
  assert(!(waiting > 0 && client != CONNECTED));
  assert((client == HASHING) == hashing);
  assert(!gone || hashing)
}

inline begin() {
  next = false;
  reading = PASSWORDS
}

active proctype operator() {
end:
  do
  :: atomic { true ->
    BEFORE; user_stands = !user_stands; asked = false; printf(" > edit_users %d >", user_stands); AFTER }
  :: atomic { rules_stand != DENY ->
    BEFORE; rules_stand = DENY; asked = false; printf(" > edit_rules 0 >"); AFTER }
  :: atomic { rules_stand != ALLOW ->
    BEFORE; rules_stand = ALLOW; asked = false; printf(" > edit_rules 1 >"); AFTER }
  :: atomic { rules_stand != BROKEN ->
    BEFORE; rules_stand = BROKEN; asked = false; printf(" > edit_rules 2 >"); AFTER }
  :: atomic { true ->
    BEFORE;
    asked = true;
    if
#ifdef MUTANT_JOINS_RUNNING
    :: reading != 0
#else
    :: reading != 0 -> next = true
#endif
    :: else -> begin()
    fi;
    printf(" > reload >");
    AFTER }
  :: MAY_REST
  od
}

active proctype files() {
end:
  do
  :: atomic { reading == PASSWORDS ->
    BEFORE;
    user_known = user_stands;
    reading = RULES;
    printf(" > read >");
    AFTER }
  :: atomic { reading == RULES ->
    BEFORE;
    if
    :: rules_stand != BROKEN -> rules_known = rules_stand
    :: else
    fi;
    rules_used = rules_known;
    if
#ifdef MUTANT_REVOKES_NOBODY
    :: client == CONNECTED && !user_known
#else
    :: client == CONNECTED && !user_known -> client = AWAY; waiting = 0
#endif
    :: else
    fi;
    reading = 0;
    if
    :: next -> begin()
    :: else
    fi;
    printf(" > read >");
    AFTER }
  od
}

active proctype user() {
end:
  do
  :: atomic { client == AWAY && !hashing ->
    BEFORE;
    client = HASHING;
    hashing = true;
    was_known = user_known;
    printf(" > connect >");
    AFTER }
  :: atomic { client != AWAY && !gone ->
    BEFORE;
    if
    :: client == HASHING -> gone = true
    :: else -> client = AWAY; waiting = 0
    fi;
    printf(" > leave >");
    AFTER }
  :: atomic { client == CONNECTED && waiting < 2 ->
    BEFORE;
#ifdef MUTANT_STALE_VERDICT
    if
    :: cached == BROKEN -> cached = rules_used
    :: else
    fi;
    i = cached;
#else
    i = rules_used;
#endif
    if
    :: i == ALLOW || waiting > 0 -> waiting++ /* PUBACKs stay in order */
    :: else
    fi;
    assert(i == rules_used);
    printf(" > publish %d >", i);
    AFTER }
  :: MAY_REST
  od
}

active proctype thread() {
end:
  do
  :: atomic { hashing ->
    BEFORE;
    hashing = false;
    if
#ifdef MUTANT_NO_SECOND_LOOK
    :: !gone && was_known -> client = CONNECTED
    :: gone || !was_known -> client = AWAY
#else
    :: !gone && was_known && user_known -> client = CONNECTED
    :: gone || !was_known || !user_known -> client = AWAY
#endif
    fi;
    gone = false;
    was_known = false;
    printf(" > hashed >");
    AFTER }
  od
}

active proctype disk() {
end:
  do
  :: atomic { waiting > 0 -> BEFORE; waiting = 0; printf(" > answer >"); AFTER }
  od
}

/* What is asked for behind the last change comes into force. */
ltl applied { [] (asked -> <> (!asked || (user_known == user_stands && (rules_stand == BROKEN || rules_used == rules_stand)))) }
/* Whoever is not in the file any more does not stay. */
ltl revoked { [] ((client == CONNECTED && !user_known) -> <> (client != CONNECTED || user_known)) }
/* A PUBACK of what was let in comes, whatever the rules say then. */
ltl answered { [] (waiting > 0 -> <> (waiting == 0)) }
/* Nobody waits for ever to be let in. */
ltl judged { [] (client == HASHING -> <> (client != HASHING)) }
