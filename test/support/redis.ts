/** A Redis of its own for a test file, where there is a redis-server. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** A running Redis server. `restart` loses everything it held. */
export type TestRedis = {
  readonly url: string
  stop(): Promise<void>
  restart(): Promise<void>
}

/**
 * Starts a private server on a free port, stopped with the test.
 *
 * @returns undefined where there is no redis-server: skip the test, and say so.
 */
export async function startTestRedis(
  t: Pick<Test, 'teardown'>,
  options: { policy?: string } = {},
): Promise<TestRedis | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const start = async (): Promise<ChildProcess> => {
    const server = spawn('redis-server', [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
      ...['--appendonly', 'no', '--maxmemory-policy', options.policy ?? 'noeviction'],
    ])
    await answered(url)
    return server
  }
  let server: ChildProcess | undefined = await start()
  const stop = async (): Promise<void> => {
    const running = server
    server = undefined
    if (running === undefined) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await ended
  }
  t.teardown(async () => {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    url,
    stop,
    restart: async () => {
      await stop()
      server = await start()
    },
  }
}

async function answered(url: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 200 })
  redis.on('error', () => {}) // Not up yet.
  await redis.ping()
  redis.disconnect()
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = probe.address()
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0
      probe.close(() => resolve(port))
    })
  })
}
