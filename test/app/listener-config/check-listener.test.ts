import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { COVERED } from '../../support/role.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

/** Runs the check like the image build, with LISTENER_CONFIG as the only variable. */
function check(t: Test, config: string) {
  const directory = t.testdir({ 'config.ts': config, 'own.ts': 'export const name: string = "mine"' })
  const env = { ...CHILD_ENVIRONMENT, ...COVERED, LISTENER_CONFIG: `${directory}/config.ts` }
  return spawnSync(process.execPath, ['app/listener-config/check-listener.ts'], { encoding: 'utf8', env })
}

t.test('passes without the required variables, even if a module keeps the process open', async (t) => {
  const { status, stdout, stderr } = check(
    t,
    `import { name } from './own.ts'
    setInterval(() => {}, 1000)
    export default { processors: [{ name, on: ['upload'], requires: ['CMS_TOKEN'], handle() {} }] }`
  )
  t.equal(status, 0, stderr)
  t.match(stdout, /config\.ts loads: mine\n$/)
})

t.test('fails with one line if an import is missing', async (t) => {
  const { status, stderr } = check(t, "import './dev/missing.ts'\nexport default { processors: [] }")
  t.equal(status, 1)
  t.match(stderr, /^\S*config\.ts(?::1)?: .*missing\.ts.*\n$/)
})
