import heapq
import json
import time
from pathlib import Path


def load_stations(file, pace):
    time.sleep(pace)
    return json.loads(Path(file).read_text(encoding="utf-8"))


def names(stations, pace):
    time.sleep(pace)
    return {row["id"]: row["name"] for row in stations}


def build_graph(stations, pace):
    time.sleep(pace)
    graph = {}
    for row in stations:
        graph[row["id"]] = dict(row["edges"])
    return graph


def busiest(graph, pace):
    time.sleep(pace)
    return max(graph, key=lambda station: len(graph[station]))


def shortest_way(graph, start, goal, pace):
    time.sleep(pace)
    waiting = [(0, start, [start])]
    seen = set()
    while waiting:
        minutes, station, way = heapq.heappop(waiting)
        if station == goal:
            return {"minutes": minutes, "way": way}
        if station in seen:
            continue
        seen.add(station)
        for neighbour, ride in graph[station].items():
            heapq.heappush(waiting, (minutes + ride, neighbour, [*way, neighbour]))
    raise ValueError(f"no way from {start} to {goal}")


def summary(names, busiest, way, zones):
    stops = ", ".join(names[station] for station in way["way"])
    counts = ", ".join(f"zone {zone}: {one['stations']}" for zone, one in sorted(zones.items()))
    return f"{way['minutes']} minutes by {stops}; busiest is {names[busiest]}; {counts}"
