import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { promisify } from 'node:util'

/** Runs a program and resolves to what it prints. */
export type Execute = (program: string, args: readonly string[]) => Promise<string>

const execute: Execute = async (program, args) => {
  const { stdout } = await promisify(execFile)(program, args)
  return stdout
}

/** Whether nothing listens on a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  // who connects meanwhile, looking for another system, would keep it open
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

/** Which process listens on a port, in words: `nginx (process 4711)`. Undefined where no program of the system tells. */
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

/** Says that a port is taken, and by what where that is known. */
export async function describeTaken(port: number, holder = holderOf): Promise<string> {
  const by = await holder(port)
  return by === undefined ? `port ${port} is taken` : `port ${port} is taken by ${by}`
}
