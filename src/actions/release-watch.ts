/**
 * Running downloads are held to their release: every second the database is asked which of the releases that are being
 * taken are still open, and the downloads of the others are cut. If it cannot be asked for some seconds, all are cut, for
 * then nobody knows.
 */
import { openReleases } from '../store/release-life.ts'
import type { Deps } from './deps.ts'

const lookMs = 1_000
const unknownMsMax = 4_000
/** No download lasts longer; a range takes up where it ended. */
export const downloadMsMax = 12 * 3_600_000

type Followed = { releaseId: string; cut: () => void; startedAt: number; confirmedAt: number }

export class ReleaseWatch {
  readonly #deps: Pick<Deps, 'pool'>
  readonly #followed = new Set<Followed>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  constructor(deps: Pick<Deps, 'pool'>) {
    this.#deps = deps
  }

  /** Calls `cut` as soon as the release is not open any more. Returns how to stop following. */
  follow(releaseId: string, cut: () => void): () => void {
    const now = performance.now()
    const followed = { releaseId, cut, startedAt: now, confirmedAt: now }
    this.#followed.add(followed)
    this.#timer ??= setInterval(() => void this.#look(), lookMs)
    return () => {
      this.#followed.delete(followed)
      if (this.#followed.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  async #look(): Promise<void> {
    this.#cutWhere(({ confirmedAt, startedAt }, now) => {
      return now - confirmedAt > unknownMsMax || now - startedAt > downloadMsMax
    })
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const askedAt = performance.now()
      const asked = [...this.#followed]
      const open = await openReleases(this.#deps.pool, [
        ...new Set(asked.map(({ releaseId }) => releaseId)),
      ])
      for (const each of asked) if (open.has(each.releaseId)) each.confirmedAt = askedAt
      const closed = new Set(asked.filter(({ releaseId }) => !open.has(releaseId)))
      this.#cutWhere((each) => closed.has(each))
    } catch {
      // The database is away. Whoever is not confirmed in time is cut at one of the next looks.
    } finally {
      this.#isLooking = false
    }
  }

  #cutWhere(isOver: (followed: Followed, now: number) => boolean): void {
    const now = performance.now()
    for (const each of [...this.#followed]) {
      if (!isOver(each, now)) continue
      this.#followed.delete(each)
      each.cut()
    }
  }
}
