/** Binding an arena in an engine's memory to a program's inputs and outputs. */
import type { ParameterLayout } from '@folkmoot/model';
import type { Bindings, DeviceBuffer, View } from '@folkmoot/tensor';

/** Every tensor of `layout` inside `arena`, under the name that `nameOf` gives it. */
export function parameterViews(
  layout: ParameterLayout,
  arena: DeviceBuffer,
  nameOf: (parameter: string) => string = (parameter) => parameter,
): Bindings {
  const views: Record<string, View> = {};
  for (const { name, offset } of layout.tensors) views[nameOf(name)] = { buffer: arena, offset };
  return views;
}
