import type { ErrorDetail } from '../errors.ts';
import type { Cluster, FleetCollections, FleetKind, FleetObjects } from './objects.ts';

/** One object's mention of another. */
export interface FleetReference {
  /** JSON pointer of the mention, such as `/platform_components/2/id`. */
  readonly field: string;
  /** The top-level field that holds the mention, and its place there: the order of the rendered inputs. */
  readonly list: string;
  readonly position: number;
  readonly kind: FleetKind;
  readonly id: string;
}

/** A JSON object as it came in, after the schema has said that its shape is right. */
export type RawObject = Readonly<Record<string, unknown>>;

/** The three lists of a cluster's document that name catalogue objects. */
export type AssignmentField = 'platform_components' | 'namespaces' | 'rolebindings';

/** One entry of a Flux answer: `id` is unique in the answer, and the key `provider` belongs to Flux. */
export interface RenderedInput {
  readonly id: string;
  readonly provider?: never;
  readonly [key: string]: unknown;
}

/** How a catalogue kind becomes the answer of `/api/v2/flux/clusters/{cluster_dns}/{segment}`. */
export interface FluxRoute<K extends FleetKind> {
  readonly segment: string;
  readonly assignedIn: AssignmentField;
  /**
   * `position`: the place of the assignment in the cluster's list. Each field at the top comes either from the cluster's names,
   * patches and references alone, or from the entry and its assignment alone: plans rest on that.
   */
  render(cluster: Cluster, entry: FleetObjects[K], position: number): RenderedInput;
}

/** All that the gateway knows of one kind of object; everything else (store, writes, seed, routes) is generic over it. */
export interface KindDefinition<K extends FleetKind> {
  readonly kind: K;
  /** For people, in messages. */
  readonly title: string;
  readonly collection: FleetCollections[K];
  /** Name in openapi.yaml's components.schemas. */
  readonly schema: string;
  /** Every top-level field, in the one order in which objects are written. */
  readonly fields: readonly (keyof FleetObjects[K] & string)[];
  /** The fields that a list can be filtered by. */
  readonly filters: readonly string[];
  /** Fields, beside `id`, whose value no two objects of the kind share. The store has a unique index for each. */
  readonly unique: readonly (keyof FleetObjects[K] & string)[];
  /** The kinds that objects of this kind may mention. A kind that lists itself is held free of cycles. */
  readonly refersTo: readonly FleetKind[];
  /** Fills defaults and puts keys into canonical order. `raw` has passed the schema and holds no nulls. */
  normalise(raw: RawObject): FleetObjects[K];
  /** What a JSON schema cannot say. */
  rules(object: FleetObjects[K]): readonly ErrorDetail[];
  references(object: FleetObjects[K]): readonly FleetReference[];
  /** Adjusts `after` to a change that named only the fields `named`: what hangs on a removed entry goes with it. */
  settle?(before: FleetObjects[K], after: RawObject, named: ReadonlySet<string>): RawObject;
  readonly flux?: FluxRoute<K>;
}
