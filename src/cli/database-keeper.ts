/**
 * Keeps the database of a whole service running: an embedded server that dies is started again at
 * its port.
 */
import { startEmbeddedDatabase } from '../store/embedded.ts'
import type { Config } from './config.ts'
import { openDatabase, type ReadyDatabase } from './database.ts'
import type { Log } from './log.ts'
import type { RoleUrls } from './role-urls.ts'

/** A database that is there until `stop`, short interruptions aside. */
export type KeptDatabase = {
  urls: RoleUrls
  /** Rejects when it could not be started again. Never resolves. */
  failed: Promise<never>
  /** From now on its end is meant. */
  expectEnd: () => void
  stop: () => Promise<void>
}

/** Opens the database of a configuration and keeps it. */
export async function keepDatabase(config: Config, log: Log): Promise<KeptDatabase> {
  let database = await openDatabase(config)
  let isEnding = false
  const { urls } = database
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // Whoever cares waits for it.
  const watch = async (watched: ReadyDatabase): Promise<void> => {
    await watched.ended
    if (isEnding) return
    log.error('the database ended and is started again')
    database = await startEmbeddedDatabase({
      home: config.home,
      port: Number(new URL(urls.admin).port),
    })
    if (isEnding) await database.stop()
    else log.info('the database is back')
    return watch(database)
  }
  void watch(database).catch(failed.reject)
  return {
    urls,
    failed: failed.promise,
    expectEnd: () => {
      isEnding = true
    },
    stop: () => database.stop(),
  }
}
