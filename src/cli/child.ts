/**
 * One process of the service as a child: started, listened to, started again when it dies.
 *
 * A child that refuses to start (a wrong passphrase, a taken port) would refuse again, so it is not
 * started again: its refusal is the service's. Children are sessions of their own, so that Ctrl-C
 * reaches the service first and it stops them in order; and they end by themselves when the channel
 * to the service breaks, however it died.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { exitCodes } from './exit-codes.ts'
import type { Log } from './log.ts'
import { isSettledWithin, pause } from './waiting.ts'

/** What a child is: its name in lines, its command and its environment at each start. */
export type ChildPlan = {
  name: string
  words: string[]
  environment: () => Record<string, string>
  onLine: (line: string) => void
  log: Log
}

const entry = fileURLToPath(new URL('../main.ts', import.meta.url))
const restartMs = 100
const restartMsMax = 5_000
/** A child that lived so long had started well; the next pause is short again. */
const settledMs = 10_000
/** Deaths without ever having listened. */
const stillbirthsMax = 5
const stopMs = 32_000
const codes = Object.keys(exitCodes) as (keyof typeof exitCodes)[]

const messageSchema = z.union([
  z.object({ listening: z.string().max(1_000) }),
  z.object({
    refusal: z.object({
      code: z.enum(codes),
      sentence: z.string().max(1_000),
      details: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  }),
])

/** A supervised child. */
export class Child {
  readonly #plan: ChildPlan
  readonly #stopping = new AbortController()
  readonly #listening = Promise.withResolvers<string>()
  readonly #failed = Promise.withResolvers<never>()
  readonly #done: Promise<void>
  #process: ChildProcess | undefined
  #hasListened = false

  constructor(plan: ChildPlan) {
    this.#plan = plan
    this.#failed.promise.catch(() => {}) // Whoever cares waits for it; until then it is no defect.
    this.#done = this.#run().catch((error: unknown) => this.#failed.reject(error))
  }

  /** Its process id, while it lives. */
  get pid(): number | undefined {
    return this.#process?.exitCode === null ? this.#process.pid : undefined
  }

  /** Resolves with what it said when it listened for the first time. */
  get listening(): Promise<string> {
    return this.#listening.promise
  }

  /** Rejects when it will not be started again: with its refusal, or because it died too often. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Lets it finish what it has in hand; after 32 s it is killed. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#process?.kill('SIGTERM')
    if (await isSettledWithin(stopMs, this.#done)) return
    this.#process?.kill('SIGKILL')
    await this.#done
  }

  async #run(): Promise<void> {
    let waitMs = restartMs
    for (let stillbirths = 0; !this.#stopping.signal.aborted; ) {
      const startedAt = performance.now()
      const refusal = await this.#live()
      if (this.#stopping.signal.aborted) return
      if (refusal) throw refusal
      if (!this.#hasListened) stillbirths += 1
      if (stillbirths === stillbirthsMax) throw new Error('a process of the service does not start')
      if (performance.now() - startedAt > settledMs) waitMs = restartMs
      this.#plan.log.error('a process ended and is started again', {
        name: this.#plan.name,
        afterMs: waitMs,
      })
      await pause(waitMs, this.#stopping.signal)
      waitMs = Math.min(waitMs * 2, restartMsMax)
    }
  }

  /** One life, from birth to death. Returns the refusal it died of, if it did. */
  #live(): Promise<Refusal | undefined> {
    const { words, environment } = this.#plan
    const child = spawn(process.execPath, [entry, ...words], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    this.#process = child
    let refusal: Refusal | undefined
    child.on('message', (message) => {
      const { data } = messageSchema.safeParse(message)
      if (data === undefined) return
      if ('listening' in data) {
        this.#hasListened = true
        this.#listening.resolve(data.listening)
      } else {
        const { code, sentence, details } = data.refusal
        refusal = new Refusal(code, sentence, details)
      }
    })
    this.#relay(child.stdout)
    this.#relay(child.stderr)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => resolve(refusal))
    })
  }

  /** Its lines go on as they are; what is no line of our log gets its name in front. */
  #relay(stream: Readable | null): void {
    if (stream === null) return
    createInterface({ input: stream }).on('line', (line) => {
      this.#plan.onLine(line.startsWith('{"level":') ? line : `[${this.#plan.name}] ${line}`)
    })
  }
}
