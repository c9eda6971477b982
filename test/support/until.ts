import { setTimeout as sleep } from 'node:timers/promises'

/** Far above what any step takes on a machine that does nothing else: one that does much is slow, and that is no fault. */
export const patienceMs = 150_000
const pollMs = 25

/**
 * What is found, as soon as it is there.
 *
 * @param find - looks; undefined or false: not yet.
 * @throws when it is not there in time, naming `what` was waited for.
 */
export async function until<T>(
  find: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; await sleep(pollMs)) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
  }
}
