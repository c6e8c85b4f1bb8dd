const STAND_IN = "offline-model";

/** Who answers; the stand-in without a real model behind it says so. */
export function ModelBadge({ model }: { model: string }) {
  const offline = model === STAND_IN;
  return (
    <span
      data-testid="model"
      className={`badge ${offline ? "bg-warn-soft text-warn" : "bg-raised text-muted"}`}
      title={offline ? "Answers come from the stand-in that runs without a model service" : "The model that answers"}
    >
      {offline ? "offline model" : model}
    </span>
  );
}
