/**
 * Schemas as kubeconform reads them: one file a kind, whole in itself, in which unknown fields are errors.
 *
 *   node --import tsx schemas.ts OUTPUT CORE CRDS…
 *
 * CORE: schemas of Kubernetes with definitions in a file beside them. CRDS: folders of CustomResourceDefinitions.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

type Json = Record<string, unknown>;

const [output = '', core = '', ...folders] = process.argv.slice(2);
mkdirSync(output, { recursive: true });
let written = 0;

const definitions = JSON.parse(readFileSync(join(core, '_definitions.json'), 'utf8')) as Json;
const byName = (definitions['$defs'] ?? definitions['definitions']) as Readonly<Record<string, unknown>>;
for (const file of readdirSync(core).filter((name) => name.endsWith('.json') && !name.startsWith('_'))) {
  const schema = JSON.parse(readFileSync(join(core, file), 'utf8')) as Json;
  if (!('kind' in ((schema['properties'] ?? {}) as Json))) continue;
  write(file, whole(schema));
}
for (const folder of folders)
  for (const file of readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)))
    for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8'))) {
      const definition = (
        'toJS' in document ? document.toJS({ maxAliasCount: -1 }) : null
      ) as CustomResourceDefinition | null;
      if (definition?.kind !== 'CustomResourceDefinition') continue;
      const { group, names, versions } = definition.spec;
      for (const { name, schema } of versions)
        write(
          `${names.kind}-${group.split('.')[0]}-${name}.json`.toLowerCase(),
          strict({ ...(schema.openAPIV3Schema as Json), ...ofObject(schema.openAPIV3Schema as Json) }),
        );
    }
process.stdout.write(`${written} schemas\n`);
if (written < 200) throw new Error(`only ${written} schemas: the folders hold something else than expected`);

interface CustomResourceDefinition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: unknown } }[];
  };
}

function write(name: string, schema: unknown): void {
  writeFileSync(join(output, name), JSON.stringify(schema));
  written += 1;
}

/** The definitions that a schema reaches, in itself. */
function whole(schema: Json): Json {
  const reached: Record<string, unknown> = {};
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key !== '$ref' || typeof inner !== 'string') return [key, visit(inner)];
        const name = inner.slice(inner.lastIndexOf('/') + 1);
        if (!(name in reached)) {
          reached[name] = true;
          reached[name] = visit(byName[name]);
        }
        return [key, `#/definitions/${name}`];
      }),
    );
  };
  const visited = visit(schema) as Json;
  return { ...visited, definitions: reached };
}

/** `metadata` is that of every object. */
function ofObject(schema: Json): Json {
  const properties = (schema['properties'] ?? {}) as Json;
  return { properties: { ...properties, metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } };
}

/** Objects whose fields are known take no others, as the API server has it. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Json;
  // Only a schema has an object of properties; a property may be called so too.
  if (
    typeof schema['properties'] === 'object' &&
    schema['properties'] !== null &&
    !('type' in schema && schema['type'] !== 'object')
  ) {
    const properties = Object.fromEntries(
      Object.entries(schema['properties'] as Json).map(([key, one]) => [key, strict(one)]),
    );
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in schema;
    return {
      ...Object.fromEntries(
        Object.entries(schema).map(([key, one]) => [key, key === 'properties' ? one : strict(one)]),
      ),
      properties,
      ...(open ? {} : { additionalProperties: false }),
    };
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    const { type: _type, ...rest } = schema;
    return rest;
  }
  return Object.fromEntries(Object.entries(schema).map(([key, one]) => [key, strict(one)]));
}
