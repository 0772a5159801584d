import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import manifest from '../../../package.json' with { type: 'json' }
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

const dockerfile = readFileSync('Dockerfile', 'utf8')

/** Prints the packages that the process's own files import, when it exits. */
const PRINT_IMPORTS = `data:text/javascript,${encodeURIComponent(`
  import { isBuiltin, registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const isOwn = /^file:(?!.*\\/node_modules\\/)/.test(context.parentURL ?? '')
      if (isOwn && /^[@a-z]/.test(specifier) && !isBuiltin(specifier)) {
        packages.add(specifier.match(/^(?:@[^/]+\\/)?[^/]+/)[0])
      }
      return nextResolve(specifier, context)
    }
  })
  process.once('exit', () => process.stdout.write(JSON.stringify([...packages])))`)}`

t.test('the development image installs exactly the development packages that it imports', async (t) => {
  const files = ['./dev/readable-log.ts', './dev/stand-ins.ts'].flatMap((file) => ['--import', file])
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', PRINT_IMPORTS, ...files, '--eval', ''],
    { env: CHILD_ENVIRONMENT }
  )
  const imported = (JSON.parse(stdout) as string[]).filter(
    (name) => !Object.hasOwn(manifest.dependencies, name)
  )
  const [, installed] = /RUN for name in (.+); do/.exec(dockerfile) ?? []
  t.strictSame(installed?.split(' ').toSorted(), imported.toSorted())
})

interface Stage {
  base: string
  /** Sources of COPY: stages, named build contexts, or `undefined` for the build context. */
  copiesFrom: (string | undefined)[]
  runs: string[]
}

const stages = new Map<string, Stage>(
  dockerfile
    .split(/^FROM /m)
    .slice(1)
    .map((text) => {
      const [, base, name = 'last'] = /^(\S+)(?: AS (\S+))?/.exec(text)!
      const copiesFrom = [...text.matchAll(/^(?:COPY|ADD) (?:--from=(\S+) )?/gm)].map(([, from]) => from)
      const runs = [...text.matchAll(/^RUN (.*)/gm)].map(([, command]) => command!)
      return [name, { base: base!, copiesFrom, runs }]
    })
)

/** Returns the names of everything that a stage is made of. */
function inputsOf(name: string): string[] {
  const stage = stages.get(name)
  if (!stage) return [name]
  const from = stage.copiesFrom.map((source) => source ?? 'context')
  return [...new Set([name, ...[stage.base, ...from].flatMap(inputsOf)])]
}

// test/infra/app/image.ts checks what .dockerignore admits to the context, `npm run test:image` the image
t.test('the deployed image is the production stage, which dev/ cannot change', async (t) => {
  t.strictSame(inputsOf('last').toSorted(), [
    '$NODE_IMAGE',
    'context',
    'dependencies',
    'last',
    'production',
    'sources'
  ])
  t.strictSame(stages.get('production')?.copiesFrom, ['dependencies', 'sources'])
  t.strictSame(stages.get('sources')?.runs, ['rm -rf dev'])
  t.strictSame(stages.get('production')?.runs, [
    'mkdir compile-cache && chown node compile-cache',
    '["node", "app/listener-config/check-listener.ts"]',
    '["node", "app/warm-compile-cache.ts"]'
  ])
})
