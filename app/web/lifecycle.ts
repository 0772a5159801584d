/** State of the web role, which receives traffic only while `ready`. */
export class Lifecycle {
  state: 'starting' | 'ready' | 'draining' = 'starting'
}
