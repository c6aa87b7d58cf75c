/** Asks before a form that cannot be undone. Without a script the form is simply sent. */
import { button, element } from "./elements";

export function attachConfirmations(): void {
  const answered = new WeakSet<HTMLFormElement>();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || answered.has(form)) return;
    const question = form.dataset["confirm"];
    if (question === undefined) return;
    event.preventDefault();
    ask(question, form.dataset["confirmLabel"] ?? "Go on", () => {
      answered.add(form);
      form.requestSubmit(event.submitter);
    });
  });
}

/** Ask a question in a dialog; `yes` is called when the answer is `label`. */
export function ask(question: string, label: string, yes: () => void): void {
  const dialog = element("dialog", "ask");
  const text = element("p", "ask-text", question);
  text.id = "ask-text";
  dialog.setAttribute("aria-labelledby", text.id);
  const no = button("Cancel", "button");
  const go = button(label, "button danger");
  const actions = element("div", "ask-actions");
  actions.append(no, go);
  dialog.append(text, actions);
  no.addEventListener("click", () => dialog.close());
  go.addEventListener("click", () => {
    dialog.close();
    yes();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
