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

t.test('the deployed image is the production stage', async (t) => {
  t.equal(dockerfile.match(/^FROM .*/gm)?.at(-1), 'FROM production')
})
