import { shownPath } from '../../app/listener-config/load-error.ts'
import { FileWatch } from './file-watch.ts'
import type { System } from './system.ts'

export interface FollowOptions {
  print: (text: string) => void
  /** Called after the workers have restarted. */
  onRestart: () => void
}

/**
 * Restarts the workers when the listener's configuration or a file that it imports changes. If a file is saved
 * again during a restart, the workers may have read the new file with the variables for the old one: a failure
 * is then not reported, since another restart follows.
 */
export function followEdits(
  { files, reload }: Pick<System, 'files' | 'reload'>,
  { print, onRestart }: FollowOptions
): FileWatch {
  const watch = new FileWatch({
    async onChange(changed, isOutdated) {
      print(`${changed.map(shownPath).join(', ')} changed; restarting the worker …`)
      const { files: now, refused } = await reload()
      watch.add(now)
      if (refused === undefined) {
        print('The worker has restarted.')
        onRestart()
      } else if (!isOutdated()) print(`Not restarted; the previous worker is still running: ${refused}`)
    }
  })
  watch.add(files)
  return watch
}
