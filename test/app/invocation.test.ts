import t from 'tap'
import { COMMANDS } from '../../app/commands/commands.ts'
import { readInvocation } from '../../app/invocation.ts'
import { ROLES } from '../../app/roles/roles.ts'

t.test('loads the role that is named', async (t) => {
  for (const name of Object.keys(ROLES)) {
    t.match(await readInvocation([name]), { kind: 'role', name, role: { requires: Array, start: Function } })
  }
})

t.test('loads the command that is named, with its arguments', async (t) => {
  for (const name of Object.keys(COMMANDS)) {
    t.match(await readInvocation([name, '--bogus']), {
      kind: 'command',
      command: { usage: new RegExp(`^Usage: node app/main.ts ${name}`), run: Function },
      args: ['--bogus']
    })
  }
})

t.test('explains wrong arguments', async (t) => {
  for (const [args, said] of [
    [[], /^Usage: node app\/main.ts ROLE\n/],
    [['web', '--port=80'], /^web takes no arguments\n\nUsage: node app\/main.ts ROLE\n/],
    [['nosuch'], /^"nosuch" is not a role or a command\n\nUsage/],
    [['constructor', 'x'], /^"constructor" is not a role or a command\n\nUsage/]
  ] as const) {
    t.match(await readInvocation(args), { kind: 'wrong', message: said })
  }
})

t.test('helps with everything or with one command', async (t) => {
  for (const args of [['--help'], ['-h'], ['web', '--help'], ['nosuch', '-h']]) {
    t.match(await readInvocation(args), { kind: 'help', usage: /^Usage: node app\/main.ts ROLE\n/ })
  }
  t.match(await readInvocation(['replay', '--help']), {
    kind: 'help',
    usage: /^Usage: node app\/main.ts replay/
  })
  const { usage } = (await readInvocation(['--help'])) as { usage: string }
  for (const name of [...Object.keys(ROLES), ...Object.keys(COMMANDS)]) t.match(usage, `  ${name} `)
})
