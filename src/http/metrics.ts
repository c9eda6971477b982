import type { FastifyReply } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Deps } from '../actions/deps.ts'

export type Metrics = {
  registry: Registry
  observe: (method: string, route: string, reply: FastifyReply) => void
}

/** Counts and times of this process and of the queue, for Prometheus. No label comes from a caller. */
export function createMetrics(deps: Deps): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const seconds = new Histogram({
    name: 'gyeol_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers: [registry],
  })
  addGauge(registry, {
    name: 'gyeol_jobs',
    help: 'Jobs by side and state',
    labels: ['side', 'state'],
    read: async () =>
      (await deps.pool.query('select side, state, count(*) as value from gyeol.job group by 1, 2'))
        .rows,
  })
  addGauge(registry, {
    name: 'gyeol_audit_leaves',
    help: 'Leaves of the trail, and how many of them the newest checkpoint covers',
    labels: ['covered'],
    read: async () =>
      (
        await deps.pool.query(
          `select 'all' as covered, size as value from gyeol.audit_head
           union all
           select 'checkpoint', coalesce(max(size), 0) from gyeol.audit_checkpoint`,
        )
      ).rows,
  })
  return {
    registry,
    observe: (method, route, reply) => {
      seconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    },
  }
}

type GaugeRow = Record<string, string | number>

function addGauge(
  registry: Registry,
  gauge: { name: string; help: string; labels: string[]; read: () => Promise<GaugeRow[]> },
): void {
  new Gauge({
    name: gauge.name,
    help: gauge.help,
    labelNames: gauge.labels,
    registers: [registry],
    async collect() {
      this.reset()
      for (const { value, ...labels } of await gauge.read()) this.set(labels, Number(value))
    },
  })
}
