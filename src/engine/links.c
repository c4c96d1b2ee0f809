#include "engine/links.h"

#include <stdlib.h>
#include <string.h>

static int compare_index(const struct link_entry *a, const struct link_entry *b)
{
	return (a->link.index > b->link.index) - (a->link.index < b->link.index);
}

static int compare_name(const struct link_entry *a, const struct link_entry *b)
{
	return strcmp(a->link.name, b->link.name);
}

RB_GENERATE_INTERNAL(link_index_tree, link_entry, by_index, compare_index,
		     __attribute__((unused)) static)
RB_GENERATE_INTERNAL(link_name_tree, link_entry, by_name, compare_name,
		     __attribute__((unused)) static)

static struct link_entry *find_index(const struct links *links, unsigned int index)
{
	struct link_entry key = {.link.index = index};
	return RB_FIND(link_index_tree, (struct link_index_tree *)&links->by_index, &key);
}

const struct kernel_link *links_by_index(const struct links *links, unsigned int index)
{
	const struct link_entry *entry = find_index(links, index);
	return entry ? &entry->link : NULL;
}

const struct kernel_link *links_by_name(const struct links *links, const char *name)
{
	const struct link_entry *entry = RB_ROOT(&links->by_name);

	while (entry) {
		int order = strcmp(name, entry->link.name);

		if (order == 0)
			return &entry->link;
		entry = order < 0 ? RB_LEFT(entry, by_name) : RB_RIGHT(entry, by_name);
	}
	return NULL;
}

const struct kernel_link *links_by_vlan(const struct links *links, unsigned int parent,
					uint16_t vlan_id)
{
	struct link_entry *entry;

	RB_FOREACH (entry, link_index_tree, (struct link_index_tree *)&links->by_index)
		if (entry->link.parent == parent && entry->link.vlan_id == vlan_id)
			return &entry->link;
	return NULL;
}

const struct kernel_link *links_of_session(const struct links *links, unsigned int index,
					   const char *name)
{
	const struct kernel_link *link;

	if (index)
		return links_by_index(links, index);
	link = links_by_name(links, name);
	return link && !link->kind ? link : NULL;
}

bool links_put(struct links *links, const struct kernel_link *link)
{
	struct link_entry *entry = find_index(links, link->index), *old;

	links->changes++;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return false;
		entry->link.index = link->index;
		RB_INSERT(link_index_tree, &links->by_index, entry);
	} else {
		RB_REMOVE(link_name_tree, &links->by_name, entry);
	}
	entry->link = *link;
	/* A missed deletion can leave another link of this name: the newer one is right. */
	old = RB_INSERT(link_name_tree, &links->by_name, entry);
	if (old) {
		RB_REMOVE(link_name_tree, &links->by_name, old);
		RB_REMOVE(link_index_tree, &links->by_index, old);
		free(old);
		RB_INSERT(link_name_tree, &links->by_name, entry);
	}
	return true;
}

void links_remove(struct links *links, unsigned int index)
{
	struct link_entry *entry = find_index(links, index);

	if (!entry)
		return;
	links->changes++;
	RB_REMOVE(link_index_tree, &links->by_index, entry);
	RB_REMOVE(link_name_tree, &links->by_name, entry);
	free(entry);
}

bool links_remove_one(struct links *links)
{
	const struct link_entry *entry = RB_ROOT(&links->by_index);

	if (entry)
		links_remove(links, entry->link.index);
	return entry;
}

void links_clear(struct links *links)
{
	while (links_remove_one(links))
		;
}
