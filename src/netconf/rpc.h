/*
 * The operations: what a row of their table (rpc_table.h) says, finding one, and checking its
 * parameters. Knows no session: message.c asks here which operation an element is.
 */
#ifndef NETCONF_RPC_H
#define NETCONF_RPC_H

#include "engine/engine.h"
#include "netconf/node.h"
#include "store/edit.h"

struct netconf_session;

/* What an operation's function returns besides a negative errno. */
enum rpc_result {
	RPC_OK,   /* answer <ok/> */
	RPC_LATER /* session_stream() was called, or rpc_done() will be */
};

#define RPC_PARAMETERS 10

/* A parameter that another module adds to an operation. */
struct rpc_augment {
	const char *name, *uri;
};

enum rpc_access {
	RPC_BY_DEFAULT,        /* as exec-default says */
	RPC_DENIED,            /* nacm:default-deny-all */
	RPC_DENIED_FOR_OTHERS, /* the same, but for what is the user's own; its function looks */
	RPC_ALWAYS             /* whatever rules say */
};

struct rpc {
	const char *name, *uri;
	const char *parameters[RPC_PARAMETERS]; /* allowed children, in the same namespace */
	const char *repeated[2];                /* those of them that may be given more than once */
	const struct rpc_augment *augments;     /* ends with a NULL name; NULL: none */
	enum rpc_access access;                 /* where no rule of NACM decides */
	const char *streamed;    /* the one of them that holds an edit, or NULL ... */
	const char *streamed_in; /* ... or a child of this one, which holds a configuration */
	/*
	 * Carry it out. @operation has the parameters. A negative errno, with @err, is answered
	 * with that error.
	 */
	int (*run)(struct netconf_session *session, const struct node *operation,
		   struct error *err);
	/* Before the streamed parameter: find its default operation, refuse what can be refused. */
	int (*begin)(const struct node *operation, enum edit_operation *ret, struct error *err);
};

/* NULL when @rpcs, which ends with a NULL name, has no such operation. */
const struct rpc *rpc_find(const struct rpc *rpcs, const char *name, const char *uri);
/* There is no such operation: fill @err with whether the name or the namespace is unknown. */
int rpc_unknown(const struct rpc *rpcs, const char *name, const char *uri, struct error *err);
/* Check the next parameter of @operation: refuse one that it does not have, or has been given. */
int rpc_check_parameter(const struct rpc *rpc, const struct node *operation, const char *name,
			const char *uri, struct error *err);
/* Refuse a parameter of an operation, with a printf text. Returns a negative errno. */
int rpc_refuse(struct error *err, enum error_code code, const char *parameter, const char *format,
	       ...) __attribute__((format(printf, 4, 5)));
/*
 * The datastore that a parameter names, as <source><running/></source> does. A <config> in its
 * place, where @inline_too, is ENGINE_DATASTORES.
 */
int rpc_datastore(const struct node *operation, const char *parameter, bool inline_too,
		  enum engine_datastore *ret, struct error *err);
/* The datastore that may be written, by the leaf datastore of ietf-netconf-nmda. */
int rpc_datastore_leaf(const struct node *operation, enum engine_datastore *ret, struct error *err);

#endif
