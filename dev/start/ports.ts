import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { promisify } from 'node:util'

/** Runs a program and resolves with its output. */
export type Execute = (program: string, args: readonly string[]) => Promise<string>

const execute: Execute = async (program, args) => {
  const { stdout } = await promisify(execFile)(program, args)
  return stdout
}

/** Returns whether no process listens on a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  // an open connection would keep the server from closing
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

/** Returns the first free port after that of an HTTP server. Returns 0, which selects any port, if all are taken. */
export async function nextFreePort(serverUrl: string): Promise<number> {
  const taken = Number(new URL(serverUrl).port || 80)
  for (let port = taken + 1; port < 65_536; port++) if (await isFree(port)) return port
  return 0
}

/** Names the process that listens on a port: `nginx (process 4711)`. Undefined where no program can tell. */
export async function holderOf(port: number, run = execute): Promise<string | undefined> {
  // lsof is part of macOS, ss of most Linux distributions
  const lsof = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']).catch(() => '')
  const ss = lsof || (await run('ss', ['-Hltnp', `sport = :${port}`]).catch(() => ''))
  const [, pid] = /^p(\d+)$/m.exec(lsof) ?? /pid=(\d+)/.exec(ss) ?? []
  if (pid === undefined) return undefined
  const command = await run('ps', ['-o', 'args=', '-p', pid]).catch(() => '')
  if (/dev\/start\.ts|app\/main\.ts/.test(command)) return `another listener (process ${pid})`
  const [program = ''] = command.split(/\s/)
  return `${basename(program) || 'a program'} (process ${pid})`
}

/** Describes a taken port, with its holder where known: `port 8080 is taken by nginx (process 4711)`. */
export async function describeTaken(port: number, holder = holderOf): Promise<string> {
  const by = await holder(port)
  return by === undefined ? `port ${port} is taken` : `port ${port} is taken by ${by}`
}
