/** Where the web role is in its life; it takes traffic only in between. */
export class Lifecycle {
  state: 'starting' | 'ready' | 'draining' = 'starting'
}
