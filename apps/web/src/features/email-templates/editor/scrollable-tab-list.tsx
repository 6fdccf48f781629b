import type { ComponentProps } from "react";
import { TabList } from "@/components/ui/tabs";

/** Tabs that scroll where there is not enough room for all of them. */
export function ScrollableTabList(props: Omit<ComponentProps<typeof TabList>, "className">) {
  return (
    <div className="overflow-x-auto [scrollbar-width:thin]">
      <TabList {...props} className="w-max min-w-full px-2" />
    </div>
  );
}
