import { LRUCache } from 'lru-cache';

/**
 * Remembers the `max` entries that were used last. Bounded by size rather than by `max`, for which lru-cache would take the room of
 * all entries at once: several megabytes for each memory, at each start, and most of them stay small.
 */
export function boundedMemory<K extends {}, V extends {}>(max: number): LRUCache<K, V> {
  return new LRUCache<K, V>({ maxSize: max, sizeCalculation: () => 1 });
}
