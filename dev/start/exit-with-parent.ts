/**
 * Preloaded into every process that `npm start` starts. The channel to the parent closes however that ends, `kill -9` and a
 * closed terminal included: then this process ends at once, before it holds up the next start.
 */
process.once('disconnect', () => process.exit(1))
// a process that has ended its work does not wait for the parent
process.channel?.unref()
