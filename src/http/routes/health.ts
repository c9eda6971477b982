import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { requireSchema } from '../../store/migrate.ts'
import type { App } from '../app.ts'
import type { Metrics } from '../metrics.ts'
import { problems } from '../schemas.ts'

const open = { isOpen: true }

/** Whether the process lives, whether it can serve, and its metrics. */
export function healthRoutes(app: App, deps: Deps, metrics: Metrics): void {
  app.route({
    method: 'GET',
    url: '/livez',
    config: open,
    schema: {
      operationId: 'live',
      tags: ['health'],
      summary: 'The process answers',
      security: [],
      response: { 200: z.object({ live: z.literal(true) }), ...problems },
    },
    handler: async () => ({ live: true as const }),
  })

  app.route({
    method: 'GET',
    url: '/readyz',
    config: open,
    schema: {
      operationId: 'ready',
      tags: ['health'],
      summary: 'The database answers with the schema of this release, and the vault can be written',
      security: [],
      response: { 200: z.object({ ready: z.literal(true) }), ...problems },
    },
    handler: async () => {
      await requireSchema(deps.pool)
      return { ready: true as const }
    },
  })

  app.route({
    method: 'GET',
    url: '/metrics',
    config: open,
    schema: {
      operationId: 'metrics',
      tags: ['health'],
      summary: 'Counts and times for Prometheus',
      security: [],
      produces: ['text/plain'],
      response: { 200: z.string(), ...problems },
    },
    handler: async (_, reply) => {
      const text = await metrics.registry.metrics()
      return reply.type(metrics.registry.contentType).serializer(String).send(text)
    },
  })

  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: open,
    schema: { hide: true },
    handler: async (_, reply) =>
      reply.type('application/json').serializer(JSON.stringify).send(app.swagger()),
  })
}
