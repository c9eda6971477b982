/**
 * Keeps the database of a whole service running: an embedded server that dies is started again at
 * its port.
 */
import { Refusal } from '../core/errors.ts'
import { startEmbeddedDatabase } from '../store/embedded.ts'
import { nameOf } from '../worker/run-job.ts'
import type { Config } from './config.ts'
import { openDatabase, type ReadyDatabase } from './database.ts'
import type { Log } from './log.ts'
import type { RoleUrls } from './role-urls.ts'
import { pause } from './waiting.ts'

/** A database that is there until `stop`, short interruptions aside. */
export type KeptDatabase = {
  urls: RoleUrls
  /** Rejects when it could not be started again. Never resolves. */
  failed: Promise<never>
  /** From now on its end is meant. */
  expectEnd: () => void
  stop: () => Promise<void>
}

const restartMs = 500
const restartMsMax = 30_000
const restartsMax = 1_000 // Some eight hours.

/** Opens the database of a configuration and keeps it. */
export async function keepDatabase(config: Config, log: Log): Promise<KeptDatabase> {
  let database = await openDatabase(config)
  const ending = new AbortController()
  const { urls } = database
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // Whoever cares waits for it.
  const home = { home: config.home, port: Number(new URL(urls.admin).port) }
  const watch = async (watched: ReadyDatabase): Promise<void> => {
    await watched.ended
    if (ending.signal.aborted) return
    log.error('the database ended and is started again')
    const restarted = await startAgain(home, ending.signal, log)
    if (restarted === undefined) return
    database = restarted
    if (ending.signal.aborted) await database.stop()
    else log.info('the database is back')
    return watch(database)
  }
  void watch(database).catch(failed.reject)
  return {
    urls,
    failed: failed.promise,
    expectEnd: () => ending.abort(),
    stop: () => database.stop(),
  }
}

/**
 * Tries until a server runs: processes of the one before may outlive it for a while, and with a full disk none can start.
 * Undefined when its end is expected by then.
 */
async function startAgain(
  home: { home: string; port: number },
  ending: AbortSignal,
  log: Log,
): Promise<ReadyDatabase | undefined> {
  for (let tries = 1; !ending.aborted; tries += 1) {
    try {
      return await startEmbeddedDatabase(home)
    } catch (error) {
      if (error instanceof Refusal || tries === restartsMax) throw error
      log.error('the database could not be started again yet', { tries, error: nameOf(error) })
      await pause(Math.min(restartMs * 2 ** tries, restartMsMax), ending)
    }
  }
  return undefined
}
