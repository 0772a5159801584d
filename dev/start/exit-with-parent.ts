/**
 * Preloaded into every process that `npm start` starts. The channel to the parent closes however the parent
 * exits, `kill -9` included; this process then exits at once, so that it never blocks the next start.
 */
process.once('disconnect', () => process.exit(1))
// the channel must not keep a finished process alive
process.channel?.unref()
