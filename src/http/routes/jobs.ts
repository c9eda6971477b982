import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { type ShownJob, showJob } from '../../actions/show-job.ts'
import type { Caller } from '../../core/grants.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, timeSchema } from '../schemas.ts'

const eventsEveryMs = 500
const eventsForMs = 25 * 60_000
const listenersMax = 200

const jobSchema = z
  .object({
    job: idSchema,
    kind: z.string(),
    state: z.enum(['queued', 'running', 'waiting', 'done', 'failed', 'cancelled']),
    attempts: z.number().int(),
    parts: z.object({
      total: z.number().int(),
      done: z.number().int(),
      failed: z.number().int(),
    }),
    progress: z.record(z.string(), z.number()),
    result: z.record(z.string(), z.unknown()).nullable(),
    refusal: z
      .object({
        code: z.string(),
        sentence: z.string(),
        details: z.record(z.string(), z.union([z.string(), z.number()])),
      })
      .nullable(),
    createdAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Job' })

const jobParams = z.strictObject({ job: idSchema })

/** Jobs: polled, or followed as server-sent events. */
export function jobRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/jobs/:job',
    schema: {
      operationId: 'show-job',
      tags: ['jobs'],
      summary: 'A job: how far it is and what came of it',
      params: jobParams,
      response: { 200: jobSchema, ...problems },
    },
    handler: async (request) =>
      jobView(await showJob(deps, requireCaller(request), request.params.job)),
  })

  let listeners = 0
  app.route({
    method: 'GET',
    url: '/v1/jobs/:job/events',
    schema: {
      operationId: 'follow-job',
      tags: ['jobs'],
      summary: 'The progress of a job as server-sent events, until it ends',
      params: jobParams,
      produces: ['text/event-stream'],
      response: { 200: z.unknown().describe('Events named `job`, each a Job'), ...problems },
    },
    handler: async (request, reply) => {
      const caller = requireCaller(request)
      const { job } = request.params
      await showJob(deps, caller, job)
      if (listeners >= listenersMax) return reply.code(503).header('retry-after', '5').send()
      listeners += 1
      const events = Readable.from(jobEvents(deps, caller, job))
      events.once('close', () => {
        listeners -= 1
      })
      reply.header('cache-control', 'no-store')
      return reply.type('text/event-stream').send(events)
    },
  })
}

/** One event at once, one at every change, and a comment now and then so that a dead reader is noticed. */
async function* jobEvents(deps: Deps, caller: Caller, jobId: string): AsyncGenerator<string> {
  let last = ''
  const beats = Math.ceil(eventsForMs / eventsEveryMs)
  for (let beat = 0; beat < beats; beat += 1) {
    const shown = await showJob(deps, caller, jobId)
    const text = JSON.stringify(jobView(shown))
    if (text !== last) yield `event: job\ndata: ${text}\n\n`
    else if (beat % 20 === 0) yield ': still there\n\n'
    last = text
    if (['done', 'failed', 'cancelled'].includes(shown.job.state)) return
    await delay(eventsEveryMs)
  }
}

function jobView({ job, children }: ShownJob): z.infer<typeof jobSchema> {
  return {
    job: job.jobId,
    kind: job.kind,
    state: job.state,
    attempts: job.attempts,
    parts: children,
    progress: job.progress,
    result: job.result,
    refusal: job.refusal,
    createdAt: job.createdAt.toISOString(),
    endedAt: job.endedAt?.toISOString() ?? null,
  }
}
