/*
 * The trees of the datastore: private to datastore.c, which changes them, and
 * index.c, which orders and searches them.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/datastore.h"

RB_PROTOTYPE(tunnel_tree, tunnel_entry, link, )
RB_PROTOTYPE(session_tree, session_entry, link, )
RB_PROTOTYPE(session_id_tree, session_entry, by_id, )
RB_PROTOTYPE(session_name_tree, session_entry, by_name, )
RB_PROTOTYPE(session_index_tree, session_entry, by_index, )
RB_PROTOTYPE(endpoint_tree, tunnel_entry, by_endpoint, )

#endif
