/*
 * The worker's hash containers, as aliases of the standard library's. They promise more (stable
 * references and iterators), so code written for the denser ones runs unchanged.
 */
#ifndef LIVEPANTY_UNORDERED_DENSE_H
#define LIVEPANTY_UNORDERED_DENSE_H

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace ankerl::unordered_dense
{
	template<typename Key>
	using hash = std::hash<Key>;

	template<
	  typename Key,
	  typename Value,
	  typename Hash     = std::hash<Key>,
	  typename KeyEqual = std::equal_to<Key>>
	using map = std::unordered_map<Key, Value, Hash, KeyEqual>;

	template<typename Key, typename Hash = std::hash<Key>, typename KeyEqual = std::equal_to<Key>>
	using set = std::unordered_set<Key, Hash, KeyEqual>;
} // namespace ankerl::unordered_dense

#endif
