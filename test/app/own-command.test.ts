import t from 'tap'
import { commandLine, usageAsRun } from '../../app/own-command.ts'

const LOCAL = '/home/me/listener/node_modules/node/bin/node'

t.test('runs the Node.js of npm through npx, with the same files of variables', async (t) => {
  for (const [execPath, execArgv, line] of [
    ['/usr/local/bin/node', [], 'node app/main.ts doctor'],
    [LOCAL, ['--enable-source-maps'], 'npx node app/main.ts doctor'],
    ['C:\\listener\\node_modules\\node\\bin\\node.exe', [], 'npx node app/main.ts doctor'],
    [LOCAL, ['--env-file=/tmp/a.env'], 'npx node --env-file=/tmp/a.env app/main.ts doctor'],
    [
      LOCAL,
      ['--env-file-if-exists=.env', '--env-file=/tmp/a.env'],
      'npx node --env-file-if-exists=.env --env-file=/tmp/a.env app/main.ts doctor'
    ],
    // Node.js also accepts the path as the next argument
    [
      LOCAL,
      ['--env-file', '/tmp/a.env', '--no-warnings', '--env-file-if-exists', '.env'],
      'npx node --env-file /tmp/a.env --env-file-if-exists .env app/main.ts doctor'
    ],
    // as a shell reads it, and without patterns of a replacement
    [
      LOCAL,
      ["--env-file=/tmp/Jo's $& files/a.env"],
      "npx node '--env-file=/tmp/Jo'\\''s $& files/a.env' app/main.ts doctor"
    ]
  ] as const) {
    const started = { execPath, execArgv: [...execArgv] }
    t.equal(commandLine('doctor', started), line)
    t.equal(usageAsRun('Usage: node app/main.ts doctor', started), `Usage: ${line}`)
  }
})

t.test('describes this process by default', async (t) => {
  t.match(commandLine('redrive --dry-run'), /^(?:npx )?node .*app\/main\.ts redrive --dry-run$/)
  t.match(usageAsRun('Usage: node app/main.ts web'), /^Usage: (?:npx )?node .*app\/main\.ts web$/)
})
