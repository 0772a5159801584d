import t from 'tap'
import { defineListener } from '../../../app/listener-config/define-listener.ts'
import { checkPackages } from '../../../app/listener-config/packages.ts'

const MISSING = '@example/not-installed'

t.test('accepts packages that are installed, and processors without packages', async (t) => {
  t.doesNotThrow(() => checkPackages([{ name: 'one', packages: ['pino', 'fastify'] }, { name: 'two' }]))
})

t.test('rejects a package that is not installed and says how to install it', async (t) => {
  t.throws(() => checkPackages([{ name: 'one', packages: ['pino', MISSING] }]), {
    code: 'PACKAGE_MISSING',
    message: /"one" .*npm install --save-prod @example\/not-installed`$/
  })
})

t.test('a listener with a missing package is refused', async (t) => {
  const processor = { name: 'mine', on: ['upload' as const], handle: () => undefined }
  t.throws(() => defineListener({ processors: [{ ...processor, packages: [MISSING] }] }), {
    code: 'PACKAGE_MISSING'
  })
  t.ok(defineListener({ processors: [{ ...processor, packages: ['pino'] }] }))
  for (const packages of ['pino', [5], {}]) {
    t.throws(() => defineListener({ processors: [{ ...processor, packages: packages as string[] }] }), {
      code: 'LISTENER_CONFIG_INVALID'
    })
  }
})
