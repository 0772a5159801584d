import type { Test } from 'tap'
import type { Synthesis } from '../../support/templates.ts'

export function image(t: Test, { plain }: Record<string, Synthesis>) {
  const has = (path: string) => plain!.image.includes(path)

  t.test('the image contains everything that listener.config.ts may import', async (t) => {
    for (const path of ['listener.config.ts', 'processors', 'app', 'package.json', 'package-lock.json']) {
      t.ok(has(path), path)
    }
    t.ok(has('processors/README.md'), 'files of any kind')
  })

  t.test('files that no role needs, or that are secret, are not inputs of the image', async (t) => {
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
  })

  t.test('the CDK builds the production stage: without dev/, later stages would fail', async (t) => {
    t.match(plain!.imageSource?.dockerBuildTarget, 'production')
  })

  t.test('the deployed image is built from a base that is pinned by digest', async (t) => {
    t.match(plain!.imageSource?.dockerBuildArgs, {
      NODE_IMAGE: /^node:24(?:\.\d+\.\d+)?-slim@sha256:[0-9a-f]{64}$/
    })
  })
}
