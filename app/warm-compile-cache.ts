/**
 * Runs when the image is built: loads each role and command, so that Node.js writes their code, compiled and
 * without types, into the directory NODE_COMPILE_CACHE. Tasks then start with less CPU time. The code that
 * check-listener.ts loads is already there.
 */
import { fastify } from 'fastify'
import { COMMANDS } from './commands/commands.ts'
import { ROLES } from './roles/roles.ts'

// `main.ts` prints the usage
process.argv.splice(2, Number.POSITIVE_INFINITY, '--help')
await import('./main.ts')
await Promise.all([...Object.values(ROLES), ...Object.values(COMMANDS)].map(({ load }) => load()))
// Fastify loads a part of itself when it starts
await fastify()
  .get('/', async () => 'ok')
  .inject('/')
// loaded modules may keep connections open
process.exit()
