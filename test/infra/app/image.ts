import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Synthesis } from '../../support/templates.ts'

export function image(t: Test, { plain }: Record<string, Synthesis>) {
  const has = (path: string) => plain!.image.includes(path)

  t.test('what listener.config.ts may import goes into the image', async (t) => {
    for (const path of ['listener.config.ts', 'processors', 'app', 'package.json', 'package-lock.json']) {
      t.ok(has(path), path)
    }
    t.ok(has('processors/README.md'), 'whatever kind of file it is')
  })

  t.test(
    'what no role needs, or is secret, does not go into the image, and is no new image when it changes',
    async (t) => {
      for (const path of [
        'dev',
        'test',
        'docs',
        'infra',
        'bench',
        'node_modules',
        'cdk.out',
        'README.md',
        'cdk.json'
      ]) {
        t.notOk(has(path), path)
      }
      t.strictSame(
        plain!.image.filter((path) => path.startsWith('.') && path !== '.dockerignore'),
        []
      )
    }
  )

  t.test('the image is built of what the Dockerfile copies, without the stand-ins', async (t) => {
    const [, production] = readFileSync('Dockerfile', 'utf8').split(/^FROM \S+ AS sources$/m)
    t.match(production, /^COPY \. \.\nRUN rm -rf dev\n[\s\S]*^COPY --from=sources \/listener \.$/m)
    t.match(production, /^RUN \["node", "app\/listener-config\/check-listener\.ts"\]$/m)
  })
}
